import type { Admin, Db } from '../db/database.js';
import { Prisma, type Server, type ServerMode } from '../generated/prisma/client.js';

/** What all gateways on one database serve, and since when. */
export type ServerState = Pick<Server, 'mode' | 'changedAt'>;

export async function getServerState({ prisma }: Admin): Promise<ServerState> {
  return prisma.server.findUniqueOrThrow({ where: { id: 1 }, select: { mode: true, changedAt: true } });
}

/**
 * The mode that there is already stays, since when it is.
 * @throws Unavailable, OutcomeUnknown
 */
export async function setServerMode(
  db: Pick<Db, 'write'>,
  mode: ServerMode,
  changedAt: Date,
): Promise<ServerState> {
  const [state] = await db.write<ServerState>(Prisma.sql`
    update server set
      mode = ${mode}::server_mode,
      changed_at = case when mode = ${mode}::server_mode then changed_at else ${changedAt} end
    where id = 1
    returning mode, changed_at as "changedAt"`);
  if (!state) throw new Error('The table server has lost its row.');
  return state;
}
