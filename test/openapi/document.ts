/** What is read here of an OpenAPI document. */
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Json>;
    responses: Record<string, Response>;
    headers: Record<string, Header>;
    [kind: string]: Json;
  };
} & Json;

export type Operation = {
  operationId: string;
  requestBody?: { required: boolean; content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, Response | Reference>;
} & Json;

export type Response = {
  headers?: Record<string, Header | Reference>;
  content?: Record<string, { schema: Json }>;
} & Json;

export type Header = { required?: boolean };
export type Reference = { $ref: string };
export type Json = Record<string, unknown>;

/** What a reference leads to; anything else is itself. */
export function resolve<Kind extends object>(document: Document, item: Kind | Reference): Kind {
  if (!('$ref' in item) || typeof item.$ref !== 'string') return item as Kind;
  const steps = item.$ref.slice('#/'.length).split('/').map(unescaped);
  return steps.reduce<unknown>((place, step) => (place as Json)[step], document) as Kind;
}

/** Of a pointer into JSON. */
export function escaped(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescaped(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

export type Found = { path: string; operations: Record<string, Operation> };

/** Finds the path of a document that a URL is of, as the router does: what is written out comes first. */
export function pathFinder(document: Document): (url: string) => Found | undefined {
  const paths = Object.entries(document.paths)
    .map(([path, operations]) => ({ path, operations, pattern: patternOf(path) }))
    // A brace is behind every letter.
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  return (url) => {
    const [path = ''] = url.split('?');
    return paths.find(({ pattern }) => pattern.test(path));
  };
}

function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`);
}
