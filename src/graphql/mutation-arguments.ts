import { GraphQLError, getArgumentValues, getVariableValues, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '../context.js';
import { Faults } from '../domain/rules.js';
import { Invalid } from '../errors.js';
import { defaultsOf, isLeftOut, PerOperation, type Selected, selectedIn } from './selections.js';

/** Adds what is wrong with the arguments of a field. */
type Check<Args> = (args: Args, context: RequestContext, faults: Faults) => void;

const key = 'checkArguments';

/** Lets a field that stands below the result of a mutation have its arguments checked before that acts. */
export function checkedBeforehand<Args>(check: Check<Args>): Readonly<Record<string, unknown>> {
  return { [key]: check };
}

/** Of a field's arguments, which GraphQL has made what the schema says; undefined where it has no check. */
function checkOf({ field }: Selected): Check<unknown> | undefined {
  return field.extensions[key] as Check<unknown> | undefined;
}

/**
 * Refuses a mutation for the arguments of what it is to answer. The fields themselves refuse them too,
 * but only when it has acted.
 */
export const checkMutations: Plugin<RequestContext> = {
  onExecute({ args, setResultAndStopExecution }) {
    const { operation, fields } = checkedIn.of(args) ?? {};
    if (!operation || !fields || fields.length === 0) return;
    const given = { ...args.variableValues };
    const variables = getVariableValues(args.schema, operation.variableDefinitions ?? [], given);
    // What is wrong with them is told by what executes it, before it does anything.
    if (!variables.coerced) return;
    const values = variables.coerced;
    const all = { ...defaultsOf(operation), ...given };
    const errors = fields
      .filter(({ around }) => !isLeftOut(around, all))
      .flatMap(({ selected }) => faultsOf(selected, values, args.contextValue));
    if (errors.length > 0) setResultAndStopExecution({ errors });
  },
};

const checkedIn = new PerOperation((operation, document, schema) => ({
  operation,
  fields:
    operation.operation === OperationTypeNode.MUTATION
      ? selectedIn(schema, document, operation).flatMap((selected) => checkedBelow(selected))
      : [],
}));

type CheckedField = { selected: Selected; around: Selected['conditions'] };

function checkedBelow(selected: Selected, outer: Selected['conditions'] = []): CheckedField[] {
  const around = [...outer, ...selected.conditions];
  const isChecked = checkOf(selected) && selected.node.arguments?.length;
  return [
    ...(isChecked ? [{ selected, around }] : []),
    ...selected.below.flatMap((field) => checkedBelow(field, around)),
  ];
}

function faultsOf(
  selected: Selected,
  variables: Record<string, unknown>,
  context: RequestContext,
): GraphQLError[] {
  const { field, node } = selected;
  const faults = new Faults();
  try {
    checkOf(selected)?.(getArgumentValues(field, node, variables), context, faults);
  } catch (error) {
    // A variable that is null where its place in a list takes none is found here.
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
  if (faults.list.length === 0) return [];
  const originalError = new Invalid(faults.list);
  return [new GraphQLError(originalError.message, { nodes: node, originalError })];
}
