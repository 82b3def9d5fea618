import { Writable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { print } from 'graphql';
import pg from 'pg';
import { inject } from 'vitest';
import { type AppOptions, createApp } from '../src/app.js';
import type { AuthConfig } from '../src/auth/authenticator.js';
import { type Environment, readConfig } from '../src/config.js';
import type { Gateway } from '../src/context.js';
import type { Retention } from '../src/db/database.js';
import { createLogger } from '../src/logger.js';
import type { Sweeping } from '../src/sweeper.js';
import { createTestDatabase } from './databases.js';
import { requireDescribed } from './openapi/checked-answers.js';

export type Answer = {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** The parsed body; each test says by its assertions what it expects there. */
  // biome-ignore lint/suspicious/noExplicitAny: the answers of a JSON API, looked into by assertions
  json: any;
};

export type RestOptions = { body?: unknown; rawBody?: string | Buffer; headers?: Record<string, string> };

export type GraphqlAnswer<Result> = {
  data?: Result | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
};

/** The whole app in process, on a database of its own. */
export type TestApp = AsyncDisposable & {
  server: FastifyInstance;
  gateway: Gateway;
  connectionString: string;
  rest(method: NonNullable<InjectOptions['method']>, url: string, options?: RestOptions): Promise<Answer>;
  graphql<Result, Variables>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<GraphqlAnswer<Result>>;
  sql<Row extends pg.QueryResultRow>(statement: string, parameters?: unknown[]): Promise<Row[]>;
  /** Of every row of every table: equal before and after an act that changes nothing. */
  hash(): Promise<string>;
  /** How many SQL statements the app sends meanwhile, but for the lookups that it keeps for 5 s. */
  countStatements(act: () => Promise<unknown>): Promise<number>;
  /** What the app logged, as parsed lines, without the statements. */
  log: Record<string, unknown>[];
};

export type TestAppOptions = {
  /** As the environment has them, like `{ PROFILE: 'production' }`. */
  settings?: Environment;
  corsOrigins?: string[];
  now?: () => Date;
  /** Another gateway, whose database this one shares. */
  database?: Pick<TestApp, 'connectionString'>;
  /** Everything is allowed until a key is made, unless said otherwise. */
  auth?: Partial<AuthConfig>;
  retention?: Partial<Retention>;
  /** Nothing is swept unless it is said how. */
  sweeping?: Sweeping;
  /** So seldom, unless said otherwise, that it disturbs no count of statements. */
  modePollMilliseconds?: number;
  /** Nothing is sent to webhooks by itself unless said otherwise: a pass of the courier sends what is due. */
  webhooks?: Partial<AppOptions['webhooks']>;
};

export async function createTestApp({
  settings = {},
  now,
  database: shared,
  auth,
  retention,
  sweeping,
  corsOrigins = [],
  webhooks,
  modePollMilliseconds = 60 * 60 * 1000,
}: TestAppOptions = {}): Promise<TestApp> {
  const database = shared
    ? { connectionString: shared.connectionString, [Symbol.asyncDispose]: async () => {} }
    : await createTestDatabase(inject('serverUrl'));
  const { connectionString } = database;
  const log: Record<string, unknown>[] = [];
  let statements = 0;
  const logger = createLogger(
    'trace',
    new Writable({
      write(line, _encoding, done) {
        const entry = JSON.parse(String(line));
        if (entry.statement && entry.level === 10) statements += isLookup(entry.statement) ? 0 : 1;
        else log.push(entry);
        done();
      },
    }),
  );
  // What is slow on a busy machine is logged for those alone who ask for it.
  const config = readConfig({ SLOW_STATEMENT: '1h', ...settings });
  const app = await createApp({
    ...config,
    connectionString,
    poolSize: 8,
    corsOrigins,
    auth: { isOff: false, isReachable: false, jwt: null, ...auth },
    retention: {
      seconds: 5 * 365 * 24 * 60 * 60,
      secondsByType: new Map(),
      autoCompleteSeconds: null,
      ...retention,
    },
    modePollMilliseconds,
    sweeping: sweeping ?? null,
    webhooks: { ...config.webhooks, isSending: false, ...webhooks },
    logger,
    ...(now ? { clock: now } : {}),
  });
  const pool = new pg.Pool({ connectionString, max: 2 });
  // The pool is idle when its database is dropped.
  pool.on('error', () => {});

  const sql: TestApp['sql'] = async (statement, parameters) => (await pool.query(statement, parameters)).rows;
  const rest: TestApp['rest'] = async (method, url, { body, rawBody, headers = {} } = {}) => {
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await app.server.inject({
      method,
      url,
      headers: { ...type, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    requireDescribed({
      method,
      url,
      headers,
      body: payload,
      answer: { status: answer.statusCode, headers: answer.headers, text: answer.body },
    });
    const isJson = /[/+]json/.test(String(answer.headers['content-type'])) && answer.body !== '';
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      json: isJson ? JSON.parse(answer.body) : undefined,
    };
  };
  return {
    server: app.server,
    gateway: app.gateway,
    connectionString,
    log,
    sql,
    rest,
    async graphql(document, variables) {
      const { json } = await rest('POST', '/graphql', { body: { query: print(document), variables } });
      return json;
    },
    hash: () => hashOf(sql),
    async countStatements(act) {
      const before = statements;
      await act();
      return statements - before;
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

function isLookup(statement: string): boolean {
  return (
    /^SELECT .* FROM "public"."(api_key|tenant)" AS /.test(statement) && !statement.includes('map_names')
  );
}

/** In one statement: many tests ask twice. Whatever order the rows come in. */
async function hashOf(sql: TestApp['sql']): Promise<string> {
  const tables = await sql<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by 1",
  );
  const hashes = tables.map(
    ({ name }) =>
      `select '${name}:' || count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) as hash from "${name}" t`,
  );
  const rows = await sql<{ hash: string }>(hashes.join(' union all '));
  return rows.map(({ hash }) => hash).join(' ');
}
