import { expect, inject, test } from 'vitest';
import { checkHistory } from './checker.js';
import { bootTwoGateways } from './gateways.js';
import { runWorkload } from './workload.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test(`64 clients over two gateways leave nothing lost, doubled or half done (SEED=${seed})`, async () => {
  await using gateways = await bootTwoGateways(inject('serverUrl'));

  const calls = await runWorkload({
    urls: gateways.urls,
    clients: 64,
    operations: 3_000,
    services: 50,
    seed,
  });

  expect(calls.filter(({ status }) => status === 503).length).toBeLessThan(calls.length / 10);
  expect(await checkHistory(gateways.connectionString, calls)).toEqual([]);
}, 120_000);
