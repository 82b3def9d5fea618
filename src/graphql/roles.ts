import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { RequestContext } from '../context.js';
import { type RoleCheck, roleCheckOf } from '../domain/roles.js';

/**
 * Lets every root field first see whether the caller may use all root fields of the operation now;
 * where one may not be used, each of them fails and nothing at all is done.
 * @throws Error for a root field that the table of roles lacks
 */
export function guardRootFields(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const root of roots) {
    const fields = Object.values(root?.getFields() ?? {});
    const checks = new Map(fields.map(({ name }) => [name, roleCheckOf(name)]));
    for (const field of fields) guard(field, checks);
  }
  return schema;
}

function guard(field: GraphQLField<unknown, RequestContext>, checks: ReadonlyMap<string, RoleCheck>): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  field.resolve = (source, args, context, info) => {
    checkOperation(context, info, checks);
    return resolve(source, args, context, info);
  };
  if (!subscribe) return;
  field.subscribe = (source, args, context, info) => {
    checkOperation(context, info, checks);
    return subscribe(source, args, context, info);
  };
}

function checkOperation(
  caller: RequestContext,
  { operation, fragments }: GraphQLResolveInfo,
  checks: ReadonlyMap<string, RoleCheck>,
): void {
  for (const name of rootFieldsOf(operation.selectionSet, fragments)) checks.get(name)?.(caller);
}

/** Those that a directive leaves out count too. */
function rootFieldsOf(
  { selections }: SelectionSetNode,
  fragments: GraphQLResolveInfo['fragments'],
): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return inner ? rootFieldsOf(inner.selectionSet, fragments) : [];
  });
}
