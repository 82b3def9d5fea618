import { createHash } from 'node:crypto';
import type { Snapshot } from '../db/snapshot.js';
import {
  countServices,
  type ExportRange,
  lastGivenId,
  linesOf,
  nextIds,
  type WrittenLine,
} from './line-statements.js';
import { type RegistryLine, registryLines } from './registry-lines.js';
import { endKind, formatVersion, headerKind } from './transfer-format.js';

export type TenantExport = ExportRange & {
  /** The version of the gateway that writes it. */
  gateway: string;
  now: Date;
};

export type ExportCounts = {
  extensionSchemas: number;
  businessAttributes: number;
  fieldMappings: number;
  services: number;
  states: number;
  tasks: number;
  extensions: number;
  associations: number;
};

/** Some lines, and how far it is with them. */
export type ExportStep = {
  lines: readonly string[];
  counts: Readonly<ExportCounts>;
  contentHash: string | null;
};

/** How many services there are to export. */
export async function countExport({ tenant, read }: Snapshot, range: ExportRange): Promise<number> {
  const [row] = await read<{ count: string }>(countServices(tenant, range));
  return Number(row?.count ?? 0);
}

/**
 * All that a tenant has but its credentials, as it is at the moment of the snapshot; the last step tells the
 * hash of the content. No more of it is in memory than a step.
 */
export async function* exportTenant(
  snapshot: Snapshot,
  { gateway, now, from, to }: TenantExport,
): AsyncGenerator<ExportStep> {
  const hash = createHash('sha256');
  const counts: ExportCounts = {
    ...{ extensionSchemas: 0, businessAttributes: 0, fieldMappings: 0 },
    ...{ services: 0, states: 0, tasks: 0, extensions: 0, associations: 0 },
  };
  const step = (lines: readonly string[], isContent = true): ExportStep => {
    if (isContent) for (const line of lines) hash.update(`${line}\n`);
    return { lines, counts, contentHash: null };
  };
  const [last] = await snapshot.read<{ id: string }>(lastGivenId);
  const header = {
    ...{ formatVersion, gateway, tenant: snapshot.tenant, exportedAt: now },
    ...{ startedFrom: from, startedTo: to, lastServiceId: last?.id === '0' ? null : last?.id },
  };
  yield step([JSON.stringify({ [headerKind]: header })], false);
  const registry = await registryLines(snapshot);
  countRegistry(registry, counts);
  yield step(registry.map(({ kind, value }) => JSON.stringify({ [kind]: value })));
  for await (const page of pagesOf(snapshot, { from, to })) {
    for (const written of page) count(written, counts);
    yield step(page.map(({ line }) => line));
  }
  const contentHash = `sha256:${hash.digest('hex')}`;
  const end = JSON.stringify({ [endKind]: { ...counts, contentHash } });
  yield { lines: [end], counts, contentHash };
}

async function* pagesOf({ tenant, read }: Snapshot, range: ExportRange): AsyncGenerator<WrittenLine[]> {
  let ids: string[] = [];
  do {
    const next = await read<{ id: string }>(nextIds(tenant, ids.at(-1) ?? '0', range));
    ids = next.map(({ id }) => id);
    if (ids.length > 0) yield await read<WrittenLine>(linesOf(tenant, ids));
  } while (ids.length > 0);
}

const countsByKind = {
  extensionSchema: 'extensionSchemas',
  businessAttribute: 'businessAttributes',
  fieldMapping: 'fieldMappings',
  mapNames: null,
} as const;

function countRegistry(lines: readonly RegistryLine[], counts: ExportCounts): void {
  for (const { kind } of lines) {
    const counted = countsByKind[kind];
    if (counted) counts[counted] += 1;
  }
}

function count({ states, tasks, extensions, associations }: WrittenLine, counts: ExportCounts): void {
  counts.services += 1;
  counts.states += states;
  counts.tasks += tasks;
  counts.extensions += extensions;
  counts.associations += associations;
}
