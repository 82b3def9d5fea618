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
  const ranges = (accept || '*/*').replace(/\s/g, '').toLowerCase().split(',');
  if (ranges.some(isAnswerable)) return;
  const message = 'Accept must allow application/json or application/graphql-response+json.';
  throw Object.assign(new Error(message), { statusCode: 406 });
}

function isAnswerable(range: string): boolean {
  const [type, ...parameters] = range.split(';');
  const charset = parameters.find((parameter) => parameter.includes('charset='));
  if (charset !== undefined && charset !== 'charset=utf-8') return false;
  return types.some((own) => type === own || type === '*/*' || type === own.replace(/\/.*/, '/*'));
}
