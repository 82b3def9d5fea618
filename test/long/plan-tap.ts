import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import pg from 'pg';
import { execute } from '../databases.js';
import { targetOf, throughPort } from '../proxy.js';

/** A node of a plan as `explain (format json)` writes it, as far as it is looked at. */
export type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
};

/** A statement with the plan that it was carried out by. */
export type Executed = { 'Query Text': string; Plan: PlanNode };

/** A way to a database on which one sees how PostgreSQL carries out what is sent. */
export type PlanTap = AsyncDisposable & {
  connectionString: string;
  /** All that was carried out since it was asked last, with what foreign keys bring about. */
  take(): Executed[];
};

export type PlanMode = 'force_custom_plan' | 'force_generic_plan';

/** Lets new sessions of the database plan as the mode says, and tell their plans to their client. */
export async function tellPlans(connectionString: string, mode: PlanMode): Promise<void> {
  const { database } = new pg.Client({ connectionString });
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_level': 'notice',
    'auto_explain.log_format': 'json',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_nested_statements': 'on',
    plan_cache_mode: mode,
  };
  for (const [name, value] of Object.entries(settings)) {
    await execute(connectionString, `alter database ${database} set ${name} = '${value}'`);
  }
}

export async function createPlanTap(connectionString: string): Promise<PlanTap> {
  const target = targetOf(connectionString);
  let executed: Executed[] = [];
  const server = createServer((client) => {
    const upstream = connect(target);
    upstream.on(
      'data',
      readNotices((text) => executed.push(...planIn(text))),
    );
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    connectionString: throughPort(connectionString, port),
    take() {
      const taken = executed;
      executed = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Follows the messages of PostgreSQL's protocol: a letter, the length of the rest, the rest. */
function readNotices(notice: (text: string) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5) {
      const end = 1 + rest.readInt32BE(1);
      if (rest.length < end) return;
      if (rest[0] === 'N'.charCodeAt(0)) notice(rest.toString('utf8', 5, end));
      rest = rest.subarray(end);
    }
  };
}

/** A notice is fields that end with a zero byte; its message is the one that begins with M. */
function planIn(notice: string): Executed[] {
  const message = notice.split('\0').find((field) => field.startsWith('Mduration: '));
  return message === undefined ? [] : [JSON.parse(message.slice(message.indexOf('{')))];
}
