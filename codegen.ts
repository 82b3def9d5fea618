import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import {
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  separateOperations,
  stripIgnoredCharacters,
} from 'graphql';

/** Makes typed documents of the tests' operations and of the client's, from the printed schema. */
const schema = parse(await readFile('src/graphql/schema.graphql', 'utf8'));
const scalars = { DateTime: 'string', JSON: 'unknown', Long: 'number', TypeCode: 'number | string' };

await generate('test/graphql/operations.graphql', 'test/generated/graphql.ts', {
  config: { scalars: { ...scalars, ID: { input: 'string | number', output: 'string' } } },
  pluginMap: { typescriptOperations, typedDocumentNode },
});
await generate('src/client/operations.graphql', 'src/client/generated/operations.ts', {
  // Types are named as their fragments and operations are, and no id is ever a number.
  config: {
    scalars: { ...scalars, ID: 'string' },
    omitOperationSuffix: true,
    inlineFragmentTypes: 'combine',
  },
  pluginMap: { typescriptOperations, typedTexts: { plugin: typedTexts } },
});

type Plugins = Pick<Parameters<typeof codegen>[0], 'config' | 'pluginMap'>;

async function generate(operations: string, output: string, { config, pluginMap }: Plugins): Promise<void> {
  const document = parse(await readFile(operations, 'utf8'));
  const code = await codegen({
    filename: output,
    schema,
    documents: [{ location: operations, document }],
    config: { useTypeImports: true, enumsAsTypes: true, defaultScalarType: 'never', ...config },
    pluginMap,
    plugins: Object.keys(pluginMap).map((name) => ({ [name]: {} })),
  });
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, code);
}

/** Each operation as a constant of its own that needs nothing at run time, so that bundlers leave the others out. */
function typedTexts(schema: GraphQLSchema, files: { document?: DocumentNode }[]) {
  const constants = files.flatMap(({ document }) => (document ? constantsOf(document, schema) : []));
  return {
    prepend: ["import type { TypedDocument } from '../typed-document.js';"],
    content: constants.join('\n'),
  };
}

function constantsOf(document: DocumentNode, schema: GraphQLSchema): string[] {
  const separate = separateOperations(document);
  return document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const name = definition.name?.value ?? '';
    const text = stripIgnoredCharacters(print(separate[name] ?? document));
    const constant = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    return `
/** ${commentAbove(definition) ?? descriptionOf(constant, schema)} */
export const ${constant} =
  ${JSON.stringify(text)} as TypedDocument<${name}, ${name}Variables>;`;
  });
}

function commentAbove({ loc }: OperationDefinitionNode): string | undefined {
  const before = loc?.startToken.prev;
  return before?.kind === 'Comment' ? before.value.trim() : undefined;
}

/** What the schema says of the mutation that the operation is named after. */
function descriptionOf(mutation: string, schema: GraphQLSchema): string {
  const description = schema.getMutationType()?.getFields()[mutation]?.description;
  if (!description) throw new Error(`${mutation} has no comment, and no mutation of that name is described`);
  return description;
}
