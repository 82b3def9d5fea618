import type { FastifyRequest } from 'fastify';

/** Those that Yoga answers in. */
const types = [
  'application/graphql-response+json',
  'application/json',
  'multipart/mixed',
  'text/event-stream',
];

/**
 * Refuses a call whose `Accept` allows none of them. Yoga would look at that when the answer is there,
 * and say that a mutation was not done which it has done by then.
 * @throws a refusal as Fastify has them
 */
export function requireAcceptable({ headers: { accept } }: Pick<FastifyRequest, 'headers'>): void {
  if (rangesOf(accept).some(isAnswerable)) return;
  const message = 'Accept must allow application/json or application/graphql-response+json.';
  throw Object.assign(new Error(message), { statusCode: 406 });
}

/** Whether answers may come one after the other. */
export function acceptsStream(accept: string | undefined): boolean {
  return rangesOf(accept).some(({ type }) => isOf('text/event-stream', type));
}

function isAnswerable({ type, parameters }: Range): boolean {
  const charset = parameters.find((parameter) => parameter.includes('charset='));
  if (charset !== undefined && charset !== 'charset=utf-8') return false;
  return types.some((own) => isOf(own, type));
}

function isOf(own: string, range: string): boolean {
  return range === own || range === '*/*' || range === own.replace(/\/.*/, '/*');
}

/** A browser that opens the endpoint asks for a page; a client asks for JSON, or for anything. */
export function prefersPage({ headers: { accept } }: Pick<FastifyRequest, 'headers'>): boolean {
  const qualities = new Map(rangesOf(accept).map(({ type, quality }) => [type, quality]));
  const qualityOf = (type: string) => qualities.get(type) ?? qualities.get('*/*') ?? 0;
  return qualityOf('text/html') > qualityOf('application/json');
}

/** The type of JSON that Yoga answers in: the first that is accepted, whatever its weight. */
export function jsonTypeOf(accept: string | undefined): string {
  return rangesOf(accept).flatMap(({ type }) => jsonTypes.get(type) ?? [])[0] ?? 'application/json';
}

/** The same where that is the first of all and needs no closer look, so that the others do not matter. */
export function plainJsonTypeOf(accept: string | undefined): string | undefined {
  const [first] = rangesOf(accept);
  return first?.parameters.length === 0 ? jsonTypes.get(first.type) : undefined;
}

const jsonTypes: ReadonlyMap<string, string> = new Map([
  ['*/*', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
]);

/** One of the media ranges of an `Accept`; its weight is 1 where it says none. */
type Range = { type: string; quality: number; parameters: readonly string[] };

/** In their order, as written: Yoga looks at neither case nor spaces. */
function rangesOf(accept: string | undefined): Range[] {
  const ranges = (accept || '*/*').replace(/\s/g, '').toLowerCase().split(',');
  return ranges.map((range) => {
    const [type = '', ...given] = range.split(';');
    const weights = given.filter((parameter) => /^q=[\d.]+$/.test(parameter));
    const parameters = given.filter((parameter) => !weights.includes(parameter));
    return { type, quality: Number(weights[0]?.slice(2) ?? 1), parameters };
  });
}
