import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GroupCommit, type GroupCommitOptions } from '../../src/db/group-commit.js';

type Job = { id: number; key: string | null; kind: string; fate: 'good' | 'bad' | 'lost' | 'locked' };
type Batch = { kind: unknown; jobs: readonly Job[]; isPatient: boolean; isDone: boolean };

class Refused extends Error {}
class Locked extends Refused {}
class Lost extends Error {}

const jobs = fc.array(
  fc.record({
    key: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null }),
    kind: fc.constantFrom('x', 'y'),
    fate: fc.constantFrom<Job['fate']>('good', 'good', 'good', 'good', 'bad', 'lost', 'locked'),
    /** How many turns of the event loop pass before the next one comes. */
    pause: fc.constantFrom(0, 0, 0, 0, 1, 2),
    /** Whether it takes the key's turn for itself. */
    isAlone: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 60 },
);

test('whatever comes in whichever order, each job is answered once, in the order of its key, and harms no other', async () => {
  const sizes = { mostInBatch: fc.integer({ min: 1, max: 5 }), mostInFlight: fc.integer({ min: 1, max: 3 }) };
  await fc.assert(
    fc.asyncProperty(jobs, fc.record(sizes), async (given, options) => {
      const run = createGroup(options);

      const answers = await submitAll(run, given);

      const { batches, acted } = run;
      const lost = new Set(batches.filter(isLost).flatMap(({ jobs: all }) => all.map(({ id }) => id)));
      for (const [id, job] of given.entries()) expect(answers[id]).toEqual([expectedOf(id, job, lost)]);
      // What was lost is never sent again; what was refused as a batch is sent once more, alone.
      for (const id of lost) expect(sendingsOf(batches, id).at(-1)).toSatisfy(isLost);
      for (const { jobs: all } of batches) {
        expect(all.length).toBeLessThanOrEqual(options.mostInBatch);
        const keys = all.flatMap(({ key }) => key ?? []);
        expect(new Set(keys).size).toBe(keys.length);
      }
      for (const key of ['a', 'b', 'c']) {
        const ids = acted.filter((job) => job.key === key).map(({ id }) => id);
        expect(ids).toEqual(ids.toSorted((one, other) => one - other));
      }
    }),
    { numRuns: 300 },
  );
});

type Given = Omit<Job, 'id'> & { pause: number; isAlone: boolean };
type Run = ReturnType<typeof createGroup>;

/** Everything that each job was answered. */
async function submitAll(run: Run, given: readonly Given[]): Promise<string[][]> {
  const answers: string[][] = given.map(() => []);
  const pending: Promise<unknown>[] = [];
  for (const [id, { pause, isAlone, ...rest }] of given.entries()) {
    const job: Job = { id, ...rest };
    const answer = isAlone
      ? run.group.hold(job.key, () => actAlone(run, job))
      : run.group.submit(job.kind, job.key, job);
    const told = (text: string) => answers[id]?.push(text);
    pending.push(answer.then(told, (error: Error) => told(error.constructor.name)));
    for (let turn = 0; turn < pause; turn++) await setImmediate();
  }
  await Promise.all(pending);
  await run.group.close();
  return answers;
}

async function actAlone({ batches, acted }: Run, job: Job): Promise<string> {
  expect(inFlight(batches).filter(({ key }) => key !== null && key === job.key)).toEqual([]);
  await setImmediate();
  acted.push(job);
  return `done ${job.id}`;
}

function expectedOf(id: number, { fate, isAlone }: Given, lost: ReadonlySet<number>): string {
  if (isAlone) return `done ${id}`;
  if (lost.has(id)) return 'Lost';
  return fate === 'bad' ? 'Refused' : `done ${id}`;
}

describe('a group commit', () => {
  test('sends a lone job at once, and what comes meanwhile together', async () => {
    const { group, batches } = createGroup({ mostInFlight: 1 });
    const first = group.submit('x', null, good(0));

    expect(batches.map(({ jobs: all }) => all.length)).toEqual([1]);
    const others = [1, 2, 3].map((id) => group.submit('x', null, good(id)));
    await Promise.all([first, ...others]);

    expect(batches.map(({ jobs: all }) => all.map(({ id }) => id))).toEqual([[0], [1, 2, 3]]);
  });

  test('lets jobs of different kinds take turns', async () => {
    const { group, batches } = createGroup({ mostInFlight: 1, mostInBatch: 2 });

    await Promise.all(
      ['x', 'x', 'x', 'x', 'x', 'y'].map((kind, id) => group.submit(kind, null, { ...good(id), kind })),
    );

    expect(batches.map(({ kind }) => kind)).toEqual(['x', 'x', 'y', 'x']);
  });

  test('refuses what comes on top of a full queue, and takes it when there is room again', async () => {
    const { group } = createGroup({ mostInFlight: 1, mostWaiting: 2 });
    const taken = [0, 1, 2].map((id) => group.submit('x', 'a', good(id)));

    await expect(group.submit('x', null, good(3))).rejects.toThrow('full');
    await expect(group.hold('b', async () => 1)).rejects.toThrow('full');
    await Promise.all(taken);
    await expect(group.submit('x', null, good(4))).resolves.toBe('done 4');
  });

  test('lets who meets a lock wait aside, and the others go on', async () => {
    const { group, batches } = createGroup({ mostInFlight: 1 });
    const locked = [0, 1, 2].map((id) => group.submit('x', null, { ...good(id), fate: 'locked' }));
    const answered: string[] = [];
    for (const job of locked) void job.then((answer) => answered.push(answer));

    for (const id of [3, 4, 5]) answered.push(await group.submit('x', null, good(id)));
    await Promise.all(locked);

    expect(answered.slice(0, 3)).toEqual(['done 3', 'done 4', 'done 5']);
    expect(answered.slice(3).sort()).toEqual(['done 0', 'done 1', 'done 2']);
    expect(batches.filter(({ isPatient }) => isPatient).map(({ jobs: all }) => all.length)).toEqual([
      1, 1, 1,
    ]);
  });

  test('does not send what has waited too long', async () => {
    const { group, batches } = createGroup({ mostInFlight: 1, longestWaitMilliseconds: 0 });

    await expect(group.submit('x', null, good(0))).rejects.toThrow('late');
    expect(batches).toEqual([]);
  });

  test('tells whoever waits too long also while nothing comes back of what was sent', async () => {
    const answers = new Silence();
    const { group, batches } = createGroup({
      ...{ mostInFlight: 1, mostAside: 1, longestWaitMilliseconds: 20 },
      before: () => answers.end,
    });
    answers.begin();
    const inFlight = [group.submit('x', 'a', good(1)), group.hold('b', async () => answers.end)];

    const late = [
      group.submit('x', null, good(2)),
      group.submit('y', 'c', { ...good(3), kind: 'y' }),
      group.submit('x', 'c', good(4)),
      group.submit('x', 'a', good(5)),
      group.hold('a', async () => 1),
      group.hold('d', async () => 1),
    ];
    for (const job of late) await expect(job).rejects.toThrow('late');
    answers.finish();
    await Promise.all(inFlight);

    expect(sendingsOf(batches, 1).length).toBe(1);
    for (const id of [2, 3, 4, 5]) expect(sendingsOf(batches, id)).toEqual([]);
    await expect(group.submit('x', 'a', good(6))).resolves.toBe('done 6');
    await expect(group.hold('d', async () => 7)).resolves.toBe(7);
    await group.close();
  });

  test('sends large jobs in several batches, and refuses what the queue has no room for', async () => {
    const sizes = { sizeOf: ({ id }: Job) => id, largestBatch: 5, largestWaiting: 12 };
    const { group, batches } = createGroup({ mostInFlight: 1, ...sizes });

    const all = [1, 2, 3, 4].map((id) => group.submit('x', null, good(id)));
    await expect(group.submit('x', null, good(9))).rejects.toThrow('full');
    await Promise.all(all);

    expect(batches.map(({ jobs }) => jobs.map(({ id }) => id))).toEqual([[1], [2, 3], [4]]);
  });

  test('refuses what waits when it closes, and answers what is under way', async () => {
    const { group } = createGroup({ mostInFlight: 1 });
    const underWay = group.submit('x', 'a', good(0));
    const waiting = [
      group.submit('x', null, good(1)),
      group.submit('x', 'a', good(2)),
      group.hold('a', async () => 1),
    ];
    const refused = Promise.all(waiting.map((job) => expect(job).rejects.toThrow('closed')));

    await group.close();

    await refused;
    await expect(underWay).resolves.toBe('done 0');
    await expect(group.submit('x', null, good(3))).rejects.toThrow('closed');
    await group.close();
  });
});

function good(id: number): Job {
  return { id, key: null, kind: 'x', fate: 'good' };
}

/** While it lasts, nothing is answered. */
class Silence {
  end: Promise<void> = Promise.resolve();
  finish: () => void = () => {};

  begin(): void {
    this.end = new Promise((resolve) => {
      this.finish = resolve;
    });
  }
}

type TestOptions = Partial<GroupCommitOptions<Job, string>> & { before?: () => Promise<void> };

function createGroup({ before = async () => {}, ...options }: TestOptions) {
  const batches: Batch[] = [];
  const acted: Job[] = [];
  const group = new GroupCommit<Job, string>({
    ...options,
    isRefusal: (error) => error instanceof Refused,
    isLocked: (error) => error instanceof Locked,
    unavailable: (reason) => new Error(reason),
    async send(kind, sent, isPatient) {
      const batch: Batch = { kind, jobs: sent, isPatient, isDone: false };
      const keys = inFlight(batches).map(({ key }) => key);
      expect(sent.filter(({ key }) => key !== null && keys.includes(key))).toEqual([]);
      batches.push(batch);
      expect(sent.filter((job) => job.kind !== kind)).toEqual([]);
      await before();
      // Some take longer than others.
      for (let turn = isPatient ? 20 : batches.length % 4; turn >= 0; turn--) await setImmediate();
      batch.isDone = true;
      if (isLost(batch)) throw new Lost();
      if (sent.some(({ fate }) => fate === 'bad')) throw new Refused();
      if (!isPatient && sent.some(({ fate }) => fate === 'locked')) throw new Locked();
      acted.push(...sent);
      return sent.map(({ id }) => `done ${id}`);
    },
  });
  return { group, batches, acted };
}

function isLost({ jobs: all }: Batch): boolean {
  return all.some(({ fate }) => fate === 'lost');
}

function inFlight(batches: readonly Batch[]): Job[] {
  return batches.filter(({ isDone }) => !isDone).flatMap(({ jobs: all }) => all);
}

function sendingsOf(batches: readonly Batch[], id: number): Batch[] {
  return batches.filter(({ jobs: all }) => all.some((job) => job.id === id));
}
