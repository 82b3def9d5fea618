import { typeBrandKey } from '@pothos/core';
import { defaultFieldResolver, type ExecutionArgs, type GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DomainError } from '../errors.js';
import type { Trace } from '../trace-context.js';
import { PerOperation, selectedIn } from './selections.js';

/** What was asked for and what became of it. */
export type Outcome = {
  /** Unknown for what was refused before it was clear. */
  type: OperationTypeNode | 'unknown';
  /** The root field by its name in the schema, `several`, or `none` where the schema itself is asked for. */
  field: string;
  /** Of what failed first, in the answer's data or beside; null where nothing did. */
  code: string | null;
  /** Whether a field of a mutation has done what it is for: that stays so, whatever fails after it. */
  hasActed: boolean;
};

export type Operation = Outcome & { startedAt: number; milliseconds: number; trace: Trace };

/** Is told of every operation when it is done. */
export type OperationObserver = (operation: Operation) => void;

type Noted = { outcome: Outcome };

export function newOutcome(): Outcome {
  return { type: 'unknown', field: 'none', code: null, hasActed: false };
}

/** Notes what is asked for as soon as that is known. */
export const noteOperation: Plugin<Noted> = {
  onExecute: ({ args }) => note(args),
  onSubscribe: ({ args }) => note(args),
};

function note(args: ExecutionArgs): void {
  const asked = rootsOf.of(args);
  // As the endpoint has made it.
  if (asked) Object.assign((args.contextValue as Noted).outcome, asked);
}

/** Aliases and names of operations are the callers', and would be as many as they like. */
const rootsOf = new PerOperation(({ operation: type, ...operation }, document, schema) => {
  const selected = selectedIn(schema, document, { ...operation, operation: type });
  const [field = 'none', ...others] = new Set(selected.map(({ node }) => node.name.value));
  return { type, field: others.length > 0 ? 'several' : field };
});

/** Lets root fields note what they fail with, also where the answer's data tells it, and that they have acted. */
export function noteFailures(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType()];
  for (const field of roots.flatMap((root) => Object.values(root?.getFields() ?? {}))) {
    const { resolve = defaultFieldResolver } = field;
    field.resolve = (source, args, context: Noted, info) => {
      const result: unknown = resolve(source, args, context, info);
      if (!(result instanceof Promise)) return noted(result, context);
      return result.then((value) => noted(value, context));
    };
  }
  return schema;
}

function noted(result: unknown, { outcome }: Noted): unknown {
  const code = codeOf(result);
  outcome.code ??= code;
  outcome.hasActed ||= code === null && outcome.type === OperationTypeNode.MUTATION;
  return result;
}

/** Pothos hands on what stands for an error, is an instance of nothing, and says by its brand of what it would be. */
function codeOf(result: unknown): string | null {
  if (typeof result !== 'object' || result === null) return null;
  const brand: unknown = Reflect.get(result, typeBrandKey);
  const isError = typeof brand === 'function' && brand.prototype instanceof DomainError;
  return isError ? String(Reflect.get(result, 'code')) : null;
}
