import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

/** Makes typed documents of the tests' operations, from the printed schema. */
const schema = 'src/graphql/schema.graphql';
const operations = 'test/graphql/operations.graphql';
const output = 'test/generated/graphql.ts';

const code = await codegen({
  filename: output,
  schema: parse(await readFile(schema, 'utf8')),
  documents: [{ location: operations, document: parse(await readFile(operations, 'utf8')) }],
  config: {
    useTypeImports: true,
    enumsAsTypes: true,
    defaultScalarType: 'never',
    scalars: {
      ID: { input: 'string | number', output: 'string' },
      DateTime: 'string',
      JSON: 'unknown',
      Long: 'number',
      TypeCode: 'number | string',
    },
  },
  pluginMap: { typescriptOperations, typedDocumentNode },
  plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
});
await mkdir(dirname(output), { recursive: true });
await writeFile(output, code);
