import fc, { type Arbitrary } from 'fast-check';
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { schema } from '../../src/graphql/schema.js';
import { hostileText } from './values.js';

/** Documents by the schema's own grammar, whose values need not be what the schema asks for. */
export const schemaDocument: Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: rootDocument('query') },
  { weight: 2, arbitrary: rootDocument('mutation') },
);

function rootDocument(operation: 'query' | 'mutation'): Arbitrary<string> {
  const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType();
  if (!root) throw new Error(`the schema has no ${operation}`);
  return fieldsOf(Object.values(root.getFields()), operation === 'query' ? 4 : 2).map(
    (fields) => `${operation} { ${fields} }`,
  );
}

type Field = GraphQLField<unknown, unknown>;

function fieldsOf(fields: readonly Field[], depth: number): Arbitrary<string> {
  const leaves = fields.filter(({ type }) => !isCompositeType(getNamedType(type)));
  const among = depth > 0 ? fields : leaves;
  if (among.length === 0) return fc.constant('__typename');
  return fc
    .uniqueArray(fc.constantFrom(...among), { minLength: 1, maxLength: 3, size: 'max' })
    .chain((chosen) => fc.tuple(...chosen.map((field) => fieldText(field, depth))))
    .map((texts) => texts.join(' '));
}

function fieldText(field: Field, depth: number): Arbitrary<string> {
  const args = argumentsOf(field.args, 3, (parts) => (parts.length > 0 ? `(${parts.join(', ')})` : ''));
  const alias = fc.constantFrom('', '', '', '', 'a: ', '__proto__: ', 'constructor: ');
  const inner = selectionOf(getNamedType(field.type), depth - 1);
  return fc.tuple(alias, args, inner).map(([before, given, within]) => before + field.name + given + within);
}

function selectionOf(type: GraphQLNamedType, depth: number): Arbitrary<string> {
  if (isUnionType(type)) return fc.constant(` { ${failures} }`);
  if (!isObjectType(type)) return fc.constant('');
  return fieldsOf(Object.values(type.getFields()), depth).map((fields) => ` { ${fields} }`);
}

/** All that is told of a failure. */
export const failures =
  '__typename ... on Error { code message } ... on Invalid { faults { path message allowed } }';

type Argument = { name: string; type: GraphQLInputType; defaultValue?: unknown };

function argumentsOf(
  args: readonly Argument[],
  depth: number,
  join: (parts: string[]) => string,
): Arbitrary<string> {
  const parts = args.map(({ name, type }) => {
    // Those that are required are hardly ever left out.
    const absent = getNullableType(type) === type ? 5 : 1;
    const given = literalOf(type, depth).map((literal) => [`${name}: ${literal}`]);
    return fc.oneof(
      { weight: 4, arbitrary: given },
      { weight: absent, arbitrary: fc.constant<string[]>([]) },
    );
  });
  return fc.tuple(...parts).map((texts) => join(texts.flat()));
}

function literalOf(type: GraphQLInputType, depth: number): Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fittingLiteral(type, depth) },
    { weight: 1, arbitrary: anyLiteral },
  );
}

function fittingLiteral(type: GraphQLInputType, depth: number): Arbitrary<string> {
  const inner = getNullableType(type);
  if (isListType(inner)) {
    return fc
      .array(literalOf(inner.ofType, depth - 1), { maxLength: 3 })
      .map((items) => `[${items.join(', ')}]`);
  }
  if (isEnumType(inner)) return fc.constantFrom(...inner.getValues().map(({ name }) => name));
  if (isInputObjectType(inner)) {
    const fields = Object.values(inner.getFields());
    return depth > 0
      ? argumentsOf(fields, depth - 1, (parts) => `{ ${parts.join(', ')} }`)
      : fc.constant('{}');
  }
  return fc.constantFrom(...(literals[inner.name] ?? ['{}']));
}

const literals: Readonly<Record<string, readonly string[]>> = {
  ID: [
    'ESTATE_SERVICE',
    '"ESTATE_SERVICE:0"',
    '"ESTATE_SERVICE"',
    '"ESTATE_CUSTOMER"',
    '1',
    '0',
    '-1',
    '""',
    '9223372036854775808',
  ],
  Int: ['1', '0', '-1', '500', '501', '2147483647', '2147483648'],
  Long: ['1', '0', '-1', '60', '9007199254740991', '9007199254740992', '1e3'],
  String: [
    '"ESTATE_SCHEMA"',
    '"ESTATE_RECORDS"',
    '"a"',
    '""',
    '"""block"""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\u{1F600}"',
  ],
  Boolean: ['true', 'false'],
  DateTime: [
    '"2026-01-01T00:00:00Z"',
    '"2026-02-30T00:00:00Z"',
    '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.999Z"',
    '1',
  ],
  TypeCode: ['1', '"1"', '"claim"', '1.5', 'true'],
  JSON: [
    '{}',
    '{ no: 1 }',
    '[{ no: 1 }]',
    'null',
    '1',
    '"a"',
    '{ a: { __proto__: 1 } }',
    '{ a: 1, a: 2 }',
    'ENUM',
    '9007199254740993',
  ],
};

const anyLiteral = fc.oneof(
  fc.constantFrom(
    ...[
      'null',
      '1',
      '1.5',
      '1e999',
      '""',
      '[]',
      '{}',
      'NOPE',
      '$x',
      '-0',
      '[[[[]]]]',
      `"${'x'.repeat(300)}"`,
    ],
  ),
  hostileText.map((text) => JSON.stringify(text)),
);

const tokens = [
  ...[
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ':',
    '!',
    '=',
    '|',
    '&',
    '@',
    '$',
    '...',
    '"',
    '"""',
    '#',
    '\\',
    '\0',
    '\ufeff',
    '\u2028',
    '😀',
  ],
  ...[
    '$x',
    '...F',
    '... on Query { __typename }',
    '@skip(if: true)',
    '@include(if: $x)',
    '@nope',
    '@deprecated',
    '@oneOf',
    '@defer',
  ],
  ...[
    '__typename',
    '__schema { types { name } }',
    '__type(name: "Query") { fields { name } }',
    'nope',
    'nope { nope }',
    'null',
  ],
  ...[
    'subscription',
    'fragment F on Query { ...F }',
    'query Q($x: Nope!)',
    'query Q($x: Int = "a")',
    'type A { a: Int }',
    '1e999',
    '00',
  ],
  ...['a: a: a', '__proto__', 'constructor', `${'9'.repeat(400)}`, 'on', 'true', ', ,'],
];

/** A document with one of its tokens gone, twice there, or another one at its place. */
export const tokenChange: Arbitrary<(text: string) => string> = fc
  .record({
    at: fc.nat(60),
    act: fc.constantFrom('drop', 'repeat', 'replace', 'insert'),
    token: fc.constantFrom(...tokens),
  })
  .map(({ at, act, token }) => (text) => {
    const parts = text.match(/\w+|"(?:[^"\\]|\\.)*"|\S/g) ?? [''];
    const place = at % parts.length;
    const own = parts[place] ?? '';
    const put = { drop: [], repeat: [own, own], replace: [token], insert: [token, own] }[act] ?? [];
    return parts.toSpliced(place, 1, ...put).join(' ');
  });
