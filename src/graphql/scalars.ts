import { GraphQLError, Kind, type ObjectValueNode, type ValueNode } from 'graphql';
import { dateTime, integer, type Rule, typeCode } from '../domain/rules.js';
import { unsafeInteger } from '../json.js';
import { builder } from './builder.js';

type Variables = Readonly<Record<string, unknown>> | null | undefined;

builder.scalarType('DateTime', {
  description:
    'A moment: ISO 8601 with a zone, to the millisecond at most. Answered in UTC with milliseconds, like `2009-05-12T12:05:12.145Z`.',
  serialize: (value) => parseBy('DateTime', dateTime, value).toISOString(),
  parseValue: (value) => parseBy('DateTime', dateTime, value),
  parseLiteral: (node) => parseBy('DateTime', dateTime, ofKind(node, [Kind.STRING])),
});

builder.scalarType('Long', {
  description: 'An integer from −(2^53−1) to 2^53−1, the range in which every JSON client is exact.',
  serialize: (value) => parseBy('Long', integer(), Number(value)),
  parseValue: (value) => parseBy('Long', integer(), value),
  parseLiteral: (node) => parseBy('Long', integer(), ofKind(node, [Kind.INT])),
});

builder.scalarType('TypeCode', {
  description:
    'An integer of the range of `Long`, or a string of at most 64 characters; answered in the JSON type that it was given in. "Long or string" of the legacy contract.',
  serialize: (value) => parseBy('TypeCode', typeCode, value),
  parseValue: (value) => parseBy('TypeCode', typeCode, value),
  parseLiteral: (node) => parseBy('TypeCode', typeCode, ofKind(node, [Kind.INT, Kind.STRING])),
});

builder.scalarType('JSON', {
  description:
    'Any JSON value. Integers beyond ±(2^53−1) and numbers that a double cannot hold are refused, never rounded.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => jsonOf(node, variables),
});

function parseBy<T>(scalar: string, rule: Rule<T>, value: unknown): T {
  const checked = rule(value);
  if (!checked.ok) throw refusal(`${scalar} ${checked.fault.message}`);
  return checked.value;
}

function refusal(message: string, node?: ValueNode): GraphQLError {
  return new GraphQLError(message, { nodes: node ?? null, extensions: { code: 'INVALID' } });
}

/** The value of a literal; undefined, which no rule takes, when it is of another kind. */
function ofKind(node: ValueNode, kinds: readonly (Kind.INT | Kind.STRING)[]): unknown {
  if (!kinds.some((kind) => kind === node.kind)) return undefined;
  return jsonOf(node, undefined);
}

function jsonOf(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return numberOf(node);
    case Kind.LIST:
      return node.values.map((element) => jsonOf(element, variables) ?? null);
    case Kind.OBJECT:
      return objectOf(node, variables);
    case Kind.VARIABLE:
      return variableOf(node.name.value, variables);
    case Kind.ENUM:
      throw refusal(`JSON must have its strings in quotes: "${node.value}"`, node);
  }
}

/** The digits as they were written: a double would already be rounded. */
function numberOf(node: ValueNode & { kind: Kind.INT | Kind.FLOAT; value: string }): number {
  const value = Number(node.value);
  if (node.kind === Kind.INT && !Number.isSafeInteger(value))
    throw refusal(`${node.value} ${unsafeInteger}`, node);
  if (!Number.isFinite(value)) throw refusal(`${node.value} must be a number that a double can hold`, node);
  return value;
}

function objectOf({ fields }: ObjectValueNode, variables: Variables): unknown {
  const members = new Map<string, unknown>();
  for (const { name, value } of fields) {
    if (members.has(name.value)) throw refusal(`"${name.value}" is given twice in one object`, value);
    members.set(name.value, jsonOf(value, variables));
  }
  // Makes own properties of all names, `__proto__` too. An absent variable makes none.
  return Object.fromEntries([...members].filter(([, value]) => value !== undefined));
}

/**
 * A variable inside a literal, as JSON again: of another declared type it is parsed by now, a
 * DateTime into a Date. Without variables a document is only validated.
 */
function variableOf(name: string, variables: Variables): unknown {
  const value = variables?.[name];
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
