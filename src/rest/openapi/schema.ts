/** JSON Schema (2020-12), as far as it is used here. What has a title is a component of the document. */
export type Schema = {
  readonly title?: string;
  readonly description?: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly format?: 'date-time' | 'int64';
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | false;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly examples?: readonly unknown[];
};

type TypeName = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'null';

/** An object of these members; one whose name ends with `?` may be absent. */
export function object(members: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  const names = Object.keys(members);
  const required = names.filter((name) => !name.endsWith('?'));
  return {
    ...more,
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), members[name] ?? {}])),
  };
}

export function array(items: Schema, more: Schema = {}): Schema {
  return { ...more, type: 'array', items };
}

/** Characters are counted as code points. */
export function text(maxLength: number, minLength = 0): Schema {
  return { type: 'string', ...(minLength > 0 ? { minLength } : {}), maxLength };
}

export function integer(
  minimum: number = Number.MIN_SAFE_INTEGER,
  maximum = Number.MAX_SAFE_INTEGER,
): Schema {
  return { type: 'integer', minimum, maximum };
}

export function oneOf(values: readonly string[]): Schema {
  return { type: 'string', enum: values };
}

/** Takes null too, which clears what is stored. */
export function nullable(schema: Schema): Schema {
  const types = [schema.type ?? []].flat();
  const title = schema.title ? { title: `${schema.title}OrNull` } : {};
  return { ...schema, ...title, type: [...types, 'null'] };
}

export function described(description: string, schema: Schema): Schema {
  return { ...schema, description };
}

export const boolean: Schema = { type: 'boolean' };

/** Any JSON. */
export const anything: Schema = {};
