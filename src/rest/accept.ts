import type { FastifyRequest } from 'fastify';

/** Whether `Accept` names the type, and does not name it as one that is not wanted. */
export function accepts({ headers }: Pick<FastifyRequest, 'headers'>, type: string): boolean {
  const named = (headers.accept ?? '').split(',').map((range) => range.trim().toLowerCase());
  return named.some((range) => {
    const [name, ...parameters] = range.split(/\s*;\s*/);
    return name === type && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
