import { type Document, type Json, type Operation, resolve } from '../openapi/document.js';
import { declaredBreaks } from './changelog.js';
import { type Break, schemaBreaks } from './openapi-schemas.js';

export type Comparison = {
  /** The document of the last release. */
  released: Document;
  present: Document;
  changelog: string;
};

/** Every change that may break a caller and that the change log does not declare, as `place: what happened`. */
export function undeclaredBreaks({ released, present, changelog }: Comparison): string[] {
  const declared = declaredBreaks(changelog);
  return [...operationBreaks(released, present), ...componentBreaks(released, present)]
    .filter(({ at }) => !declared.some((name) => isAt(at, name)))
    .map(({ at, message }) => `${at}: ${message}`);
}

/** Who declares an operation or a member declares all that is below it. */
function isAt(at: string, name: string): boolean {
  return at === name || [' ', '.', '['].some((step) => at.startsWith(name + step));
}

function operationBreaks(released: Document, present: Document): Break[] {
  return Object.entries(released.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, before]) => {
      const at = `${method.toUpperCase()} ${path}`;
      const after = present.paths[path]?.[method];
      if (!after) return [{ at, message: 'is gone' }];
      return [
        ...parameterBreaks(at, parametersOf(released, before), parametersOf(present, after)),
        ...bodyBreaks(at, before, after),
        ...answerBreaks(at, resolved(released, before.responses), resolved(present, after.responses)),
      ];
    }),
  );
}

type Parameter = { name: string; in: string; required?: true; schema: Json };

function parametersOf(document: Document, { parameters }: Operation): Map<string, Parameter> {
  const all = (parameters ?? []) as (Parameter | { $ref: string })[];
  return new Map(
    all.map((item) => {
      const parameter = resolve<Parameter>(document, item);
      return [`${parameter.in} ${parameter.name}`, parameter];
    }),
  );
}

function parameterBreaks(
  at: string,
  released: ReadonlyMap<string, Parameter>,
  present: ReadonlyMap<string, Parameter>,
): Break[] {
  const gone = [...released].flatMap(([name, before]) => {
    const place = `${at} ${name}`;
    const after = present.get(name);
    if (!after) return [{ at: place, message: 'is not taken any more' }];
    return schemaBreaks('taken', place, before.schema, after.schema);
  });
  const needed = [...present].filter(([name, { required }]) => required && !released.get(name)?.required);
  return [...gone, ...needed.map(([name]) => ({ at: `${at} ${name}`, message: 'is required now' }))];
}

function bodyBreaks(
  at: string,
  { requestBody: before }: Operation,
  { requestBody: after }: Operation,
): Break[] {
  if (!before) return after?.required ? [{ at: `${at} body`, message: 'is required now' }] : [];
  const place = `${at} body`;
  if (!after) return [{ at: place, message: 'is not taken any more' }];
  const isNeeded = after.required && !before.required ? [{ at: place, message: 'is required now' }] : [];
  const schemas = Object.entries(before.content).flatMap(([type, { schema }]) => {
    const now = after.content[type]?.schema;
    return now
      ? schemaBreaks('taken', place, schema, now)
      : [{ at: place, message: `is not taken as ${type}` }];
  });
  return [...isNeeded, ...schemas];
}

type Answers = Record<string, { headers?: Record<string, Json>; content?: Record<string, { schema: Json }> }>;

function resolved(document: Document, responses: Operation['responses']): Answers {
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      resolve<Answers[string]>(document, response),
    ]),
  );
}

function answerBreaks(at: string, released: Answers, present: Answers): Break[] {
  return Object.entries(released).flatMap(([status, { headers = {}, content = {} }]) => {
    const place = `${at} ${status}`;
    const after = present[status];
    if (!after) return [{ at: place, message: 'is gone' }];
    const names = Object.keys(headers).filter((name) => !after.headers?.[name]);
    const types = Object.entries(content).flatMap(([type, { schema }]) => {
      const now = after.content?.[type]?.schema;
      return now
        ? schemaBreaks('answered', place, schema, now)
        : [{ at: place, message: `is not answered as ${type}` }];
    });
    return [...names.map((name) => ({ at: `${place} ${name}`, message: 'is gone' })), ...types];
  });
}

/** Once each, however many operations have them: those that are taken are values, which are answered alike. */
function componentBreaks(released: Document, present: Document): Break[] {
  return Object.entries(released.components.schemas).flatMap(([name, before]) => {
    const after = present.components.schemas[name] as Json | undefined;
    // Whoever referred to it refers to another one now, and was compared.
    if (!after) return [];
    const taken = name.endsWith('OrNull') || name === 'TypeCode' ? (['taken'] as const) : [];
    return [...taken, 'answered' as const].flatMap((way) => schemaBreaks(way, name, before as Json, after));
  });
}
