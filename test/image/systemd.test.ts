import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBlocks } from '../docs/pages.js';
import { project } from '../process.js';
import { bootMachine, type Machine } from './machine.js';

const execute = promisify(execFile);
const unit = join(project, 'deploy/context-gateway.service');

test('systemd finds nothing wrong with the unit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-unit-'));
  const copy = join(folder, 'context-gateway.service');
  // Node.js is elsewhere on some machines, and systemd looks.
  await writeFile(copy, (await readFile(unit, 'utf8')).replace('/usr/bin/node', process.execPath));

  const { stderr } = await execute('systemd-analyze', ['verify', copy]);

  await rm(folder, { recursive: true });
  expect(stderr.split('\n').filter((line) => line.includes('context-gateway.service'))).toEqual([]);
});

test('the unit can do little more than it has to', async () => {
  // From 0, where nothing is open, to 100: a unit without any of it has 96.
  const command = ['security', '--offline=true', '--threshold=20', unit];

  await expect(execute('systemd-analyze', command)).resolves.toBeDefined();
});

describe('on a machine of its own, one after the other, as who follows the page does it', () => {
  let machine: Machine;
  let blocks: string[];
  let key = '';

  beforeAll(async () => {
    machine = await bootMachine();
    blocks = (await readBlocks('docs/operating.md'))
      .filter(({ notRun }) => notRun?.includes('with systemd'))
      .map(({ text }) => text);
    const folder = join(machine.root, 'opt/context-gateway');
    const filter = (path: string) => path !== join(project, '.git');
    await cp(project, folder, { recursive: true, verbatimSymlinks: true, filter });
    await execute('npm', ['prune', '--omit=dev', '--no-audit', '--no-fund'], { cwd: folder });
    // Where the unit looks for it; this machine may have it elsewhere.
    await machine.run(`[ -x /usr/bin/node ] || ln -s ${process.execPath} /usr/bin/node`);
  }, 600_000);
  afterAll(() => machine?.[Symbol.asyncDispose](), 120_000);

  /** Runs the block of the page that begins so. */
  function follow(beginning: string): Promise<string> {
    const block = blocks.find((text) => text.startsWith(beginning));
    if (!block) throw new Error(`no block begins with ${beginning}`);
    return machine.run(block, '/opt/context-gateway');
  }

  const untilReady = 'curl --silent --retry 60 --retry-delay 1 --retry-all-errors localhost:4000/ready';

  function call(path: string, options = ''): Promise<string> {
    const headers = `-H 'Authorization: Bearer ${key}' -H 'ContactCenterId: default'`;
    return machine.run(`curl --silent --fail-with-body ${headers} ${options} 'localhost:4000${path}'`);
  }

  function start(customer: string): Promise<string> {
    return call(
      '/services/start',
      `-H 'Content-Type: application/json' -d '{"customer_id":"${customer}","service_type":"order"}'`,
    );
  }

  test('systemd runs it, with its own PostgreSQL, within all that the unit forbids', async () => {
    await follow('useradd');
    const ready = JSON.parse(await machine.run(untilReady));
    const log = await machine.run('journalctl -u context-gateway');
    const owners = await machine.run('ps -o user= -p $(systemctl show context-gateway -P MainPID)');

    expect(ready.status).toBe('ready');
    expect(log).toContain('PostgreSQL started');
    expect(log).toContain('Server listening at http://127.0.0.1:4000');
    // Cut off by ps where it is longer.
    expect(owners).toMatch(/^context/);
  });

  test('the command line makes a key beside it, and nobody gets in without', async () => {
    key = (await follow('cd /opt')).trim();

    expect(key).toMatch(/^cgw_/);
    await expect.poll(() => start('first')).toMatch(/^{"service_id":\d+}$/);
    // That there are keys now is known within 5 seconds.
    const anonymous = () => machine.run('curl --silent localhost:4000/customers/first/services');
    await expect.poll(anonymous).toContain('UNAUTHENTICATED');
  });

  test('it is stopped in good order, copied and started again as the page says, and the copy is all there was', async () => {
    await follow('systemctl stop');
    await machine.run(untilReady);
    const ended = await machine.run('journalctl -u context-gateway');
    await start('second');
    const since = await call('/customers/second/services');
    const unpack = 'tar --extract --gzip --file=contexts.tar.gz --directory=/var/lib/context-gateway';
    await machine.run(
      `systemctl stop context-gateway; rm -r /var/lib/context-gateway/*; ${unpack}; systemctl start context-gateway`,
      '/opt/context-gateway',
    );
    await machine.run(untilReady);

    expect(ended).not.toMatch(/Failed with result|SIGKILL/);
    expect(since).toContain('"customer_id":"second"');
    expect(await call('/customers/first/services')).toContain('"customer_id":"first"');
    expect(await call('/customers/second/services')).toBe('[]');
  });

  test('what was killed comes back with all that it had answered', async () => {
    const answered = await start('third');

    await machine.run('kill -9 $(systemctl show context-gateway -P MainPID)');
    await machine.run(`sleep 2; ${untilReady}`);

    expect(await call('/customers/third/services')).toContain(JSON.parse(answered).service_id);
    expect(await machine.run('systemctl show context-gateway -P NRestarts')).toBe('1\n');
  });

  test('with settings that are wrong it ends once, and says so', async () => {
    await machine.run('echo PORT=none >>/etc/context-gateway.env; systemctl restart context-gateway');

    const state = () => machine.run('systemctl show context-gateway -P ActiveState');
    await expect.poll(state).toBe('failed\n');
    const facts = await machine.run('systemctl show context-gateway -p ExecMainStatus,NRestarts');
    expect(facts.trim().split('\n').toSorted()).toEqual(['ExecMainStatus=78', 'NRestarts=0']);
    await expect.poll(() => machine.run('journalctl -u context-gateway -n 20')).toMatch(/PORT/);
  });
});
