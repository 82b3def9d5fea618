import { isDeepStrictEqual } from 'node:util';
import type { Body } from './operation.js';
import type { Parameter } from './parameters.js';
import type { Header, Response } from './responses.js';
import type { Schema } from './schema.js';

export type Json = Record<string, unknown>;

type Kind = 'schemas' | 'responses' | 'parameters' | 'headers';

/** What operations of a document have in common: each is kept once, and referred to from where it is. */
export class Components {
  readonly #kinds: Record<Kind, Map<string, Json>> = {
    schemas: new Map(),
    responses: new Map(),
    parameters: new Map(),
    headers: new Map(),
  };

  /** Those that were referred to so far, by their names. */
  all(): Record<Kind, Json> {
    const { schemas, responses, parameters, headers } = this.#kinds;
    return {
      schemas: sorted(schemas),
      responses: sorted(responses),
      parameters: sorted(parameters),
      headers: sorted(headers),
    };
  }

  body({ schema, isOptional, example }: Body): Json {
    const shown = example === undefined ? {} : { example };
    return {
      required: !isOptional,
      content: { 'application/json': { schema: this.schema(schema), ...shown } },
    };
  }

  response({ title, headers = {}, content, ...response }: Response): Json {
    const placed = {
      ...response,
      headers: mapped(headers, (header) => this.#header(header)),
      ...(content ? { content: mapped(content, (schema) => ({ schema: this.schema(schema) })) } : {}),
    };
    return title === undefined ? placed : this.#keep('responses', title, placed);
  }

  /** Headers and members of query strings mean the same wherever they are taken, but for those with a title. */
  parameter({ title, ...parameter }: Parameter): Json {
    const placed = { ...parameter, schema: this.schema(parameter.schema) };
    return parameter.in === 'path' ? placed : this.#keep('parameters', title ?? parameter.name, placed);
  }

  schema(schema: Schema): Json {
    // Of a schema it is one, in whatever place.
    return this.#place(schema) as Json;
  }

  #header({ title, required, description }: Header): Json {
    const placed = { description, ...(required ? { required } : {}), schema: { type: 'string' } };
    return this.#keep('headers', title, placed);
  }

  #place(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#place(item));
    if (typeof value !== 'object' || value === null) return value;
    const { title, ...others }: Json = { ...value };
    // An object can have a property of that name, too.
    if (typeof title !== 'string') return mapped(value as Json, (member) => this.#place(member));
    return this.#keep(
      'schemas',
      title,
      mapped(others, (member) => this.#place(member)),
    );
  }

  /** @throws Error for two different ones of one name */
  #keep(kind: Kind, name: string, component: Json): Json {
    const known = this.#kinds[kind].get(name);
    if (known && !isDeepStrictEqual(known, component))
      throw new Error(`There are two ${kind} named ${name}.`);
    this.#kinds[kind].set(name, component);
    return { $ref: `#/components/${kind}/${name}` };
  }
}

function mapped<Value>(members: Readonly<Record<string, Value>>, change: (member: Value) => unknown): Json {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member)]));
}

function sorted(components: ReadonlyMap<string, Json>): Json {
  return Object.fromEntries([...components].sort(([one], [other]) => (one < other ? -1 : 1)));
}
