import { expect } from 'vitest';
import { advancePurge } from '../../src/domain/purges.js';
import { sweep } from '../../src/domain/sweeping.js';
import type { Act, CompositeStart, PurgeStart } from './acts.js';
import { type Answered, sendComposite } from './composite-front.js';
import { performComposite } from './composites.js';
import { type Line, type Observed, send } from './fronts.js';
import { finishPurge, performPurge, performSweep } from './lifetimes.js';
import { perform, type Rules } from './model.js';
import { commandOf, type Plan, type PurgePlan, type SweepPlan, sweepTimeOf } from './plans.js';
import { sendPurge } from './purge-front.js';
import { graphqlPurge } from './shapes.js';
import type { Outcome, Refused, Service, Started, World } from './world.js';

/** Where a sequence has got to. */
export type Place = { line: Line; clock: { now: number }; world: World; rules: Rules };

/** What a step did, and to which service, where it was one. */
export type Taken = { touched?: Service | undefined };

/** Does the step to the gateway and to the world; undefined where it comes to nothing. */
export async function take(place: Place, plan: Plan): Promise<Taken | undefined> {
  if (plan.kind === 'sweep') return takeSweep(place, plan);
  const command = commandOf(place.world, plan);
  if (!command) return undefined;
  if (command.kind === 'startComposite') return takeComposite(place, command);
  if (command.kind === 'purgeServices') return takePurge(place, command, driveOf(plan));
  return takeAct(place, command);
}

async function takeAct({ line, world, rules }: Place, act: Act): Promise<Taken> {
  const observed = await send(line, act);
  const outcome = perform(world, act, rules);
  expectOutcome(world, act, outcome, observed);
  return 'refusals' in outcome ? {} : { touched: world.services[outcome.index] };
}

function expectOutcome(world: World, act: Act, outcome: Outcome, observed: Observed): void {
  if ('refusals' in outcome) {
    expectRefusal(outcome, observed);
    return;
  }
  const service = world.services[outcome.index] as Service;
  if (service.id === '' && 'serviceId' in observed) service.id = observed.serviceId ?? '';
  const { part, replayed } = outcome;
  const isDeletion = act.kind === 'deleteService';
  const ofRest = {
    serviceId: act.kind === 'startService' ? service.id : null,
    version: isDeletion ? null : outcome.version,
    part: /^complete/.test(act.kind) ? null : part,
    replayed,
  };
  // A replay too is answered with the service as it now is.
  const version = isDeletion ? null : service.version;
  const ofGraphql = { serviceId: service.id, version, part, replayed };
  expect(observed).toEqual(act.front === 'graphql' ? ofGraphql : ofRest);
}

function expectRefusal({ refusals }: Refused, observed: object): void {
  expect(observed, `must be refused: ${refusals}`).toHaveProperty('refusal');
  expect(refusals).toContain('refusal' in observed ? observed.refusal : undefined);
}

async function takeComposite({ line, world, rules }: Place, start: CompositeStart): Promise<Taken> {
  const observed = await sendComposite(line, start);
  const outcome = performComposite(world, start, rules);
  if ('refusals' in outcome) {
    expectRefusal(outcome, observed);
    return {};
  }
  const { starts, replayed } = outcome;
  for (const [index, { index: place }] of starts.entries()) {
    const service = world.services[place];
    if (service?.id === '' && 'starts' in observed) service.id = String(observed.starts[index]?.service_id);
  }
  expect(observed).toEqual({ starts: starts.map((started) => answerOf(world, started)), replayed });
  return { touched: world.services[starts.at(-1)?.index ?? 0] };
}

function answerOf({ services }: World, started: Started): Answered {
  const { index, isServiceCreated, state, isStateCreated, task, isTaskCreated } = started;
  return {
    service_id: Number(services[index]?.id),
    service_created: isServiceCreated,
    state_id: state,
    state_created: isStateCreated,
    ...(task === null ? {} : { task_id: task, task_created: isTaskCreated }),
  };
}

function driveOf(plan: Plan): PurgePlan['drive'] {
  return plan.kind === 'purgeServices' ? plan.drive : 'the next sweep';
}

async function takePurge(place: Place, start: PurgeStart, drive: PurgePlan['drive']): Promise<Taken> {
  const { line, world, rules } = place;
  const observed = await sendPurge(line, start);
  const outcome = performPurge(world, start, rules);
  if ('refusals' in outcome) {
    expectRefusal(outcome, observed);
    return {};
  }
  const purge = world.purges[outcome.purge];
  if (!purge) throw new Error('the purge is not in the world');
  if (purge.id === '' && 'purge' in observed) purge.id = observed.purge.id;
  expect(observed).toEqual({ purge: graphqlPurge(purge), replayed: outcome.replayed });
  if (purge.finishedAt !== null || drive === 'the next sweep') return {};
  if (drive === 'a sweep') return takeSweep(place, { kind: 'sweep', until: 'now' });
  const deleted = await advance(line, world, { id: BigInt(purge.id), ids: drive });
  expect(deleted, 'deleted by a purge').toBe(finishPurge(world, purge, rules));
  return {};
}

/** Batch by batch, to its end; answers how many services it deleted. */
async function advance(
  { app }: Line,
  { tenant, now }: World,
  { id, ids }: { id: bigint; ids: number },
): Promise<number> {
  const db = app.gateway.database.forTenant(tenant);
  for (let sum = 0; ; ) {
    const progress = await advancePurge(db, id, new Date(now), ids);
    if (!progress) throw new Error('the purge does not go on');
    sum += progress.deleted;
    if (progress.isDone) return sum;
  }
}

/** Long enough for all events. */
const eventSeconds = 1e6;

async function takeSweep({ line, clock, world, rules }: Place, plan: SweepPlan): Promise<Taken> {
  world.now = sweepTimeOf(world, plan);
  clock.now = world.now;
  const { database, logger } = line.app.gateway;
  const now = new Date(world.now);
  const swept = await sweep(database, { now, eventSeconds, logger });
  line.said.push(`sweep at ${now.toISOString()} → ${JSON.stringify(swept)}`);
  expect(swept).toMatchObject({ ...performSweep(world, rules), hasMore: false, isAwaiting: false });
  return {};
}
