import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.js';

const root = join(import.meta.dirname, '../..');

type Described = { description?: string | null | undefined };

test('everything public is described', () => {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
  );

  const silent = types.flatMap(partsOf).filter(([, { description }]) => !description?.trim());

  expect(silent.map(([name]) => name)).toEqual([]);
  expect(types.length).toBeGreaterThan(30);
});

/** A type, and all in it that a caller can name. */
function partsOf(type: GraphQLNamedType): [name: string, part: Described][] {
  const parts: [string, Described][] = [[type.name, type]];
  if (isEnumType(type))
    for (const value of type.getValues()) parts.push([`${type.name}.${value.name}`, value]);
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) parts.push([`${type.name}.${field.name}`, field]);
  }
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      parts.push([`${type.name}.${field.name}`, field]);
      for (const arg of field.args) parts.push([`${type.name}.${field.name}(${arg.name})`, arg]);
    }
  }
  return parts;
}

test('the printed schema is up to date', async () => {
  const printed = await readFile(join(root, 'src/graphql/schema.graphql'), 'utf8');

  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(printed);
});

test('there is one copy of graphql', async () => {
  const names = await readdir(join(root, 'node_modules'), { recursive: true });

  const copies = names.filter((name) => /(^|node_modules\/)graphql\/package\.json$/.test(name));

  expect(copies).toEqual(['graphql/package.json']);
});
