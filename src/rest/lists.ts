import { encodeCursor } from '../db/paging.js';
import type { Registry } from '../db/registry.js';
import type { Answer, Call } from './call.js';
import type { ShownService } from './wire.js';

/** One more than wanted tells whether there is a next page. */
export function oneMore(limit: number | undefined): number | undefined {
  return limit && limit + 1;
}

/** A page of what was found, with a link to the next one where more was found than wanted. */
export function answerList<Item extends { startedAt: Date; id: bigint | number }>(
  call: Call,
  { found, limit }: { found: readonly Item[]; limit: number | undefined },
  show: (item: Item) => string,
): Answer {
  const items = found.slice(0, limit);
  const last = found.length > items.length ? items.at(-1) : undefined;
  return {
    status: 200,
    headers: last ? { link: nextLink(call, last) } : {},
    json: `[${items.map(show).join()}]`,
  };
}

function nextLink(call: Call, { startedAt, id }: { startedAt: Date; id: bigint | number }): string {
  return linkBehind(call, encodeCursor({ startedAt, id: BigInt(id) }));
}

/** The same query with another place to go on from; as it is where there is none. */
export function linkBehind({ request }: Call, cursor: string | undefined): string {
  const [path = '', ...query] = request.url.split('?');
  const parameters = new URLSearchParams(query.join('?'));
  if (cursor !== undefined) parameters.set('after', cursor);
  // The brackets of the header are no part of an address.
  return `<${path.replace(/[<>]/g, encodeURIComponent)}?${parameters}>; rel="next"`;
}

/** The registry that knows the extensions of what is shown. */
export function registryOf({ db }: Call, loaded: readonly ShownService[]): Registry | Promise<Registry> {
  return db.registry.knowing(loaded.flatMap(({ extensions = [] }) => extensions));
}
