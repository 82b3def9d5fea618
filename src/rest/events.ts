import { cloudEventJson } from '../domain/cloud-events.js';
import {
  currentMoment,
  type EventPosition,
  encodeCursor,
  eventCursor,
  listEvents,
} from '../domain/events.js';
import { accept, Faults, type Rule } from '../domain/rules.js';
import type { Answer, Call } from './call.js';
import { linkBehind } from './lists.js';
import { limit, once, requireEncoded } from './query.js';

const mostEvents = 500;

/** The events behind a cursor, one CloudEvent a line, with a link to what comes behind them. */
export async function queryEvents(call: Call): Promise<Answer> {
  const { db } = call;
  const { after, first } = await readFeed(call);
  const events = await listEvents(db, { after, first });
  const last = events.at(-1) ?? after;
  const lines = events.map((event) => `${cloudEventJson(db.tenant, event)}\n`);
  return {
    status: 200,
    // Also where there are none yet: it is the place to look at again.
    headers: { link: linkBehind(call, last ? encodeCursor(last) : undefined) },
    type: 'application/x-ndjson',
    json: lines.join(''),
  };
}

type Feed = { after: EventPosition | null; first: number };

/** @throws Invalid, listing every fault */
async function readFeed({ request, db }: Call): Promise<Feed> {
  const { query } = request;
  const faults = new Faults();
  requireEncoded(request.url, faults);
  const first = faults.check(limit, ['limit'], query['limit']) ?? mostEvents;
  const after = faults.check(once(place), ['after'], query['after']) ?? null;
  faults.throwIfAny();
  return { first, after: after === 'latest' ? (await currentMoment(db)).position : after };
}

/** Whoever wants what comes from now on has no cursor yet. */
const place: Rule<EventPosition | 'latest'> = (value) =>
  value === 'latest' ? accept(value) : eventCursor(value);
