import type { Admin } from '../db/database.js';
import { Prisma } from '../generated/prisma/client.js';

/**
 * How long those who follow events have been kept from newer ones: they read what is older than every
 * transaction that still writes, so the oldest of those, of whatever database of the server, is what they wait
 * for. Sessions that the gateway's role may not look at (pg_read_all_stats) are not seen.
 */
export async function getFeedLagSeconds({ prisma }: Admin): Promise<number> {
  const [row] = await prisma.$queryRaw<{ seconds: number }[]>(lagStatement);
  return row?.seconds ?? 0;
}

/** The statement itself writes nothing, and so has no transaction id. */
const lagStatement = Prisma.sql`
  select coalesce(extract(epoch from clock_timestamp() - min(begun)), 0)::float8 as seconds
  from (
    select xact_start as begun from pg_stat_activity where backend_xid is not null
    union all
    select prepared from pg_prepared_xacts
  ) as writing`;
