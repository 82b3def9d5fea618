import { batchStatement, given, waitsAsGiven } from '../db/batches.js';
import type { Db } from '../db/database.js';
import { NotFound, StaleVersion, Unavailable } from '../errors.js';
import { Prisma } from '../generated/prisma/client.js';
import { findOutcome, hashCommand } from './idempotency.js';
import { hasFreeKey } from './record-statements.js';
import { Faults } from './rules.js';
import { readAct, type ServiceInput } from './service-fields.js';
import type { Origin } from './service-writes.js';

export type Deletion = {
  serviceId: string;
  /** That of the deletion: one more than the service's last one. */
  version: number;
  replayed: boolean;
};

type Command = {
  id: string;
  expected_version: number | null;
  idempotency_key: string | null;
  command_hash: string;
  recorded_at: Date;
};

/**
 * Deletes a service with its states, tasks, extensions and history. Its events stay for those who
 * follow them.
 * @param input `serviceId` is required; `expectedVersion` and `idempotencyKey` may be given
 * @throws Invalid, listing every fault; NotFound, Conflict, Unavailable, OutcomeUnknown
 */
export async function deleteService(db: Db, origin: Origin, input: ServiceInput): Promise<Deletion> {
  const faults = new Faults(input.faults);
  const { id, expectedVersion, idempotencyKey } = readAct(input, origin, faults);
  faults.throwIfAny();
  const { receivedAt } = origin;
  const commandHash = hashCommand({ event: 'SERVICE_DELETED', id, expectedVersion });
  const command: Command = {
    id: String(id),
    expected_version: expectedVersion ?? null,
    idempotency_key: idempotencyKey ?? null,
    command_hash: commandHash,
    recorded_at: receivedAt,
  };
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const deleted = await db.commit<Command, { version: number }>(deleteServices, command, command.id);
    if (deleted) return { serviceId: command.id, version: deleted.version, replayed: false };
    const key = command.idempotency_key;
    const outcome = key === null ? undefined : await findOutcome(db, { key, commandHash, receivedAt });
    // As the statement below builds it.
    if (outcome !== undefined) return { ...(outcome as Omit<Deletion, 'replayed'>), replayed: true };
    const service = await db.prisma.service.findUnique({ where: { tenant_id: { tenant: db.tenant, id } } });
    if (!service) throw new NotFound(`There is no service ${id}.`);
    if (expectedVersion !== undefined && expectedVersion !== service.version) {
      throw new StaleVersion(id, service.version, expectedVersion);
    }
  }
  throw new Unavailable('The service changes too fast: try again.');
}

/** A version or a key that changes between a refusal and its explanation is met again. */
const mostAttempts = 10;

/** What hangs on a service goes with it, by its foreign keys. */
const deleteServices = batchStatement<Command, never>(
  {},
  () => Prisma.sql`
  with command as materialized (
    select c.* from jsonb_to_recordset(${given.commands}) as c(
      place int, id bigint, expected_version int, idempotency_key text, command_hash text, recorded_at timestamptz)
    where ${waitsAsGiven} and ${hasFreeKey}
    order by c.id
  ), deleted as (
    delete from service s using command c
    where s.tenant = ${given.tenant} and s.id = c.id
      and (c.expected_version is null or c.expected_version = s.version)
    returning c.place, s.id, s.version + 1 as version, s.customer_id, c.idempotency_key, c.command_hash, c.recorded_at
  ), events_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
    select ${given.tenant}, d.id, d.version, 'SERVICE_DELETED', d.customer_id, d.customer_id, d.recorded_at from deleted d
  ), keys_written as (
    insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
    select ${given.tenant}, d.idempotency_key, d.command_hash,
      jsonb_build_object('serviceId', d.id::text, 'version', d.version), d.recorded_at
    from deleted d where d.idempotency_key is not null
  )
  select place, version from deleted`,
);
