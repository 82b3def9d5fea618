import { type HeaderName, type Response, response } from './responses.js';
import { array, type Schema } from './schema.js';

/** What kinds of operations answer where they succeed, by the status. */
export type Answers = Readonly<Record<number, Response>>;

const ofActs: readonly HeaderName[] = ['ETag', 'Idempotency-Replayed'];

/**
 * An act on a resource.
 * @param status without a representation
 */
export function acted(shown: Schema, status: 200 | 204 = 200): Answers {
  const both = [...ofActs, 'Preference-Applied'] as const;
  if (status === 200) {
    return { 200: response('Done. Empty, or what `Prefer` asked for.', both, shown) };
  }
  return {
    204: response('Done.', ofActs),
    200: response('Done, and shown as `Prefer` asked for.', both, shown),
  };
}

/** The start of something, that tells where it is. */
export function created(shown: Schema, headers: readonly HeaderName[] = ofActs): Answers {
  return { 201: response('Started.', ['Location', ...headers], shown) };
}

/** One resource with its version. */
export function tagged(shown: Schema): Answers {
  return {
    200: response('As it is now.', ['ETag'], shown),
    304: response('It still has the version that `If-None-Match` names.', ['ETag']),
  };
}

export function listed(shown: Schema): Answers {
  return {
    200: response('What there is, the oldest first; empty where there is nothing.', ['Link'], array(shown)),
  };
}

export function shown(resource: Schema, headers: readonly HeaderName[] = []): Answers {
  return { 200: response('As it is now.', headers, resource) };
}
