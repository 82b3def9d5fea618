import type { TestApp } from '../harness.js';
import { bare, base85 } from '../rest/calls.js';
import type { OperationName } from './operations.js';
import type { Scene } from './scene.js';

export type Base = typeof bare | typeof base85;
export const bases: readonly Base[] = [bare, base85];

/** A line of the legacy contract's table of operations, or one of the paths of a line that has several. */
export type Row = {
  operation: OperationName;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{service_id}` and its like stand for what the scene, the row or the request says. */
  path: string;
  values?: Values;
  /** The one base path under which it is an operation; under the other it is none. */
  only?: Base;
  /** What the body has to be; operations without one ignore it. */
  body?: 'object' | 'optional object' | 'any value';
  /** It acts whatever `Idempotency-Key` says. */
  isUnkeyed?: true;
  /** How a service that is not there is refused, where that is not with 404. */
  absent?: Pick<Refusal, 'status' | 'like'>;
  /** What is there beforehand; services alone unless said otherwise. */
  scene?: 'services' | 'states and tasks';
  /** Calls that succeed, each on a scene of its own. The first one is what the refusals spoil. */
  examples: Examples;
  in80?: Examples;
  in85?: Examples;
  /** Beside those that operations have in common. */
  refusals: readonly Refusal[];
  /** Fields of its body that can be mapped to a business attribute, with the mapping's key. */
  mappable?: Readonly<Record<string, string>>;
};

export type Values = Readonly<Record<string, string>>;

export type Request = {
  values?: Values;
  query?: string;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  rawBody?: string;
};

export type Examples = Readonly<Record<string, (the: Scene) => Example>>;

export type Example = Request & {
  answers: {
    status: 200 | 201 | 204;
    /** Nothing at all where it is absent. */
    body?: unknown;
    /** The body's type, where it is not the usual one. */
    type?: string;
    /** Instead of a body, JSON line by line. */
    lines?: readonly unknown[];
    /** With placeholders; `{new_id}` is the id that the answer has. */
    location?: string;
    /** The version of the service that the answer is tagged with. */
    etag?: number;
    link?: RegExp;
  };
  /** What goes on behind the answer, until what queries answer is looked at. */
  settle?: (app: TestApp, newId: number) => Promise<unknown>;
  /** When the service goes and when it completes by itself afterwards, which GraphQL alone tells. */
  lasts?: { expiresAt: string | null; autoCompleteAfter: number | null };
  /** What queries answer afterwards: path with placeholders, body; none where that is not found any more. */
  shows?: (newId: number) => readonly (readonly [path: string, body: unknown])[];
};

/** A defect of the example's request, and how that is refused. */
export type Refusal = {
  what: string;
  status: number;
  errors: readonly Fault[];
  defect: Defect;
  /** What the error says other than is usual for its status. */
  like?: Readonly<Record<'code' | 'detail' | 'exception', string>>;
  /** Under one base path alone. */
  under?: Base;
  /** Other faults may be told with it. */
  hasMore?: boolean;
  /** The methods of the `Allow` header. */
  allow?: readonly string[];
};

/** `with`: members that are put into the example's body; an undefined one is taken away. */
export type Defect = Request & { with?: object; method?: Row['method'] | 'PATCH' };

/** Where it is wrong, in legacy names; and what would be right, where that is a closed list. */
export type Fault = string | { path: string; allowed: unknown };

/** The example's body with these members in it answers 400. */
export function bad(members: object, ...errors: Fault[]): Refusal {
  const what = JSON.stringify(members, (_, value) => value ?? null).slice(0, 80);
  return { what, status: 400, errors, defect: { with: members } };
}

/** The example with this query string answers 400. */
export function badQuery(query: string, ...errors: Fault[]): Refusal {
  return { what: query.slice(0, 80), status: 400, errors, defect: { query } };
}

export function refused(what: string, status: number, defect: Defect, ...errors: Fault[]): Refusal {
  return { what, status, errors, defect };
}

/** The refusals, under one base path alone. */
export function under(base: Base, ...refusals: Refusal[]): Refusal[] {
  return refusals.map((refusal) => ({ ...refusal, under: base }));
}

/** `/services/{service_id}` → `/services/1500` */
export function fill(template: string, values: Values): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Nothing says what {${name}} is in ${template}.`);
    return fill(value, values);
  });
}

/** Calls the operation on the scene. */
export function call(
  app: TestApp,
  row: Row,
  the: Scene,
  { method = row.method, values, query = '', headers, body, rawBody }: Defect,
): ReturnType<TestApp['rest']> {
  const known = { ...the.values, ...row.values, ...values };
  const filled = Object.entries(headers ?? {}).map(([name, value]) => [name, fill(value, known)]);
  return app.rest(method, the.base + fill(row.path, known) + query, {
    headers: Object.fromEntries(filled),
    ...(rawBody === undefined ? { body } : { rawBody }),
  });
}

/** The example's request with the defect in it. */
export function spoil(example: Request, defect: Defect): Defect {
  return {
    ...example,
    ...defect,
    ...(defect.with ? { body: { ...Object(example.body), ...defect.with } } : {}),
    headers: { ...example.headers, ...defect.headers },
    values: { ...example.values, ...defect.values },
  };
}
