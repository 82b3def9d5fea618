import { defaultFieldResolver, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { RequestContext } from '../context.js';
import { roleCheckOf } from '../domain/roles.js';

/**
 * Lets every root field first see whether the caller's role is enough; where it is not, the field
 * fails and nothing of it is done.
 * @throws Error for a root field that the table of roles lacks
 */
export function guardRootFields(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const root of roots) Object.values(root?.getFields() ?? {}).forEach(guard);
  return schema;
}

function guard(field: GraphQLField<unknown, RequestContext>): void {
  const { name, resolve = defaultFieldResolver, subscribe } = field;
  const checkRole = roleCheckOf(name);
  field.resolve = (source, args, context, info) => {
    checkRole(context.role);
    return resolve(source, args, context, info);
  };
  if (!subscribe) return;
  field.subscribe = (source, args, context, info) => {
    checkRole(context.role);
    return subscribe(source, args, context, info);
  };
}
