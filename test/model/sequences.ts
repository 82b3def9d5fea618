import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createTenant, defaultTenant } from '../../src/domain/tenants.js';
import { createTestApp, type TestApp } from '../harness.js';
import type { Scope } from './acts.js';
import { sequences } from './arbitraries.js';
import { compare } from './comparison.js';
import { schemas } from './extensions.js';
import type { Line } from './fronts.js';
import { secondsByType } from './lifetimes.js';
import { contract, type Rules } from './model.js';
import { base } from './planning.js';
import type { Step } from './plans.js';
import { compareRecords } from './records.js';
import { take } from './steps.js';
import type { World } from './world.js';

/** A gateway whose clock is set by the sequences that run on it, one at a time. */
export type Stage = AsyncDisposable & { app: TestApp; clock: { now: number } };

export async function createStage(): Promise<Stage> {
  const clock = { now: base };
  const app = await createTestApp({ now: () => new Date(clock.now), retention: { secondsByType } });
  for (const schema of schemas) {
    for (const scope of schema.scopes) await defineSchema(app, scope, schema);
  }
  return { app, clock, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

async function defineSchema(
  app: TestApp,
  scope: Scope,
  { scopes: _, ...body }: (typeof schemas)[number],
): Promise<void> {
  const { status, text } = await app.rest('POST', `/metadata/${scope.toLowerCase()}s/extensions`, { body });
  if (status !== 201) throw new Error(text);
}

export type Run = {
  seed: number;
  sequences: number;
  mostSteps: number;
  limitSeconds: number;
  /** Where a failure that is to be had again was found. */
  path?: string | undefined;
  /** Whether a failure is made as small as it can be before it is told. */
  isShrunk?: boolean;
};

/** Runs random sequences until one shows the gateway to differ from the rules, which fails with that sequence. */
export async function runSequences(
  stage: Stage,
  { seed, sequences: numRuns, mostSteps, path, limitSeconds, isShrunk = true }: Run,
  rules: Rules = contract,
): Promise<void> {
  const property = fc.asyncProperty(sequences(mostSteps), (steps) => runSequence(stage, steps, rules));
  await fc.assert(property, {
    seed,
    numRuns,
    ...(path === undefined ? {} : { path }),
    // A failure that is still being made smaller by then is told as it is.
    endOnFailure: !isShrunk,
    interruptAfterTimeLimit: limitSeconds * 1_000,
    markInterruptAsFailure: true,
  });
}

/** Does the steps to a world of its own, and compares everything after each of them. */
async function runSequence(stage: Stage, steps: readonly Step[], rules: Rules): Promise<void> {
  const tenant = `world-${randomBytes(6).toString('hex')}`;
  const world: World = { tenant, now: base, services: [], purges: [], done: new Map() };
  stage.clock.now = base;
  const app = await settle(stage, tenant);
  const line: Line = { app, said: [] };
  try {
    for (const { waitMilliseconds, ...step } of steps) {
      world.now += waitMilliseconds;
      stage.clock.now = world.now;
      const isTaken = await take({ ...stage, line, world, rules }, step.plan);
      if (isTaken) await compare(app, world, step.look, isTaken.touched);
    }
    await compareRecords(app, world);
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    throw new Error([...line.said, failure].join('\n'), { cause: error });
  } finally {
    // What is due there concerns no other world.
    await app.sql('delete from tenant where id = $1', [tenant]);
  }
}

/** Makes a tenant with the schemas of the stage, and answers the gateway as its callers have it. */
async function settle({ app }: Stage, tenant: string): Promise<TestApp> {
  await createTenant(app.gateway.database.admin, tenant, app.gateway.clock());
  await app.sql(
    `insert into extension_schema (tenant, scope, name_key, name, type, attributes, "unique", created_at)
     select $1, scope, name_key, name, type, attributes, "unique", created_at
     from extension_schema where tenant = $2`,
    [tenant, defaultTenant],
  );
  const headers = { contactcenterid: tenant };
  return {
    ...app,
    rest: (method, url, options = {}) =>
      app.rest(method, url, { ...options, headers: { ...headers, ...options.headers } }),
  };
}
