import type { Db } from '../db/database.js';
import { asUnavailable } from '../db/failures.js';
import { Faults } from '../domain/rules.js';
import type { ServiceInput } from '../domain/service-fields.js';
import type { Origin, WrittenService } from '../domain/service-writes.js';
import { DomainError } from '../errors.js';
import type { ExtensionScope } from '../generated/prisma/client.js';
import type { Answer, Call } from './call.js';
import { readView, type View } from './query.js';
import { replayedHeader } from './wire.js';

/** What an act does, and how the resource that it is about is shown where the caller asks for that. */
export type Act = {
  perform: (db: Db, origin: Origin, input: ServiceInput) => Promise<WrittenService>;
  scope: ExtensionScope;
  show: (call: Call, written: WrittenService, view: View) => Promise<Answer>;
  /** Without a representation. */
  status?: 200 | 204;
};

/**
 * Answers nothing, or with `Prefer: return=representation` the resource as the query by its id
 * does, with the same parameters. Where that fails nothing is answered: the act is done all the same.
 */
export async function answerAct(
  call: Call,
  { perform, scope, show, status = 200 }: Act,
  input: ServiceInput,
): Promise<Answer> {
  if (!prefersRepresentation(call)) {
    return { status, headers: headersOf(await perform(call.db, call.origin, input)) };
  }
  const faults = new Faults(input.faults);
  const view = readView(call, scope, faults);
  const written = await perform(call.db, call.origin, { ...input, faults: faults.list });
  try {
    const answer = await show(call, written, view);
    const headers = {
      ...answer.headers,
      ...replayedHeader(written),
      'preference-applied': 'return=representation',
    };
    return { ...answer, headers };
  } catch (error) {
    if (!(error instanceof DomainError) && !asUnavailable(error)) throw error;
    call.request.log.warn({ err: error }, 'an act was done, and could not be shown');
    return { status, headers: headersOf(written) };
  }
}

function prefersRepresentation({ request }: Call): boolean {
  return /(^|[,;\s])return\s*=\s*"?representation\b/i.test(String(request.headers['prefer'] ?? ''));
}

/** Of a start: where the new resource is, and its id. */
export function answerStart(
  { dialect }: Call,
  written: WrittenService,
  { path, json }: { path: string; json: string },
): Answer {
  const location = `${dialect.basePath}/services/${written.service.id}${path}`;
  return { status: 201, headers: { location, ...headersOf(written) }, json };
}

/** The version that the act came to, and whether it acted before. */
function headersOf(written: WrittenService): Record<string, string> {
  return Object.assign(tagOf(written), replayedHeader(written));
}

/** The version of the service, also of what is within it. */
export function tagOf({ version }: { version: number }): { etag: string } {
  return { etag: `"${version}"` };
}

/** Whether `If-None-Match` names the version that there is: mapped fields can look different with the same one. */
export function hasCurrent({ request, db }: Call, etag: string): boolean {
  const given = request.headers['if-none-match'];
  if (given === undefined || db.registry.loaded.mappings.size > 0) return false;
  return given.split(',').some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, '')));
}
