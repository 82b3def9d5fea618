import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { balance } from './accounts.js';
import { bootEmbedded, bootTested, type TestedGateway, timeUntilServed } from './gateways.js';
import { measureNoise } from './noise.js';
import { milliseconds, report, rounds } from './rounds.js';
import { killEmbeddedPostgres, startOwnServer } from './server.js';
import { startTraffic, type Traffic } from './traffic.js';

const kills = rounds({ long: 10, short: 3 });

test(`kill -9 of the embedded PostgreSQL under load, ${kills} times: the gateway brings it back in 5 s`, async () => {
  await using gateway = await bootEmbedded();
  const traffic = startTraffic({ url: gateway.url, callers: 16 });
  using noise = measureNoise();
  const servedAfter: number[] = [];

  for (let round = 1; round <= kills; round++) {
    await traffic.acknowledges(150);
    const killedAt = performance.now();
    await killEmbeddedPostgres(gateway.folder);
    await traffic.another(503);
    const taken = await timeUntilServed(gateway.url, killedAt);
    servedAfter.push(taken - noise.lostSince(killedAt));
  }
  await traffic.acknowledges(150);
  const { faults, counts } = await gateway.balance(await traffic.stop());

  report(`kill -9 of the embedded PostgreSQL, ${kills} times`, {
    ...counts,
    ...toldOf(traffic, servedAfter),
  });
  expect(faults).toEqual([]);
  await expectServed(gateway, traffic, servedAfter);
});

test(`kill -9 of another PostgreSQL under load, ${kills} times: 503 meanwhile, served in 5 s once it is back`, async () => {
  await using server = await startOwnServer();
  await using gateway = await bootTested({ DATABASE_URL: server.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });
  using noise = measureNoise();
  const servedAfter: number[] = [];

  for (let round = 1; round <= kills; round++) {
    await traffic.acknowledges(150);
    server.kill();
    await traffic.another(503);
    await sleep(500);
    await server.start();
    const backAt = performance.now();
    const taken = await timeUntilServed(gateway.url, backAt);
    servedAfter.push(taken - noise.lostSince(backAt));
  }
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(server.connectionString, await traffic.stop());

  report(`kill -9 of another PostgreSQL, ${kills} times`, { ...counts, ...toldOf(traffic, servedAfter) });
  expect(faults).toEqual([]);
  await expectServed(gateway, traffic, servedAfter);
});

function toldOf(traffic: Traffic, servedAfter: readonly number[]) {
  return { 'answers of 503': traffic.count(503), 'served again after': milliseconds(servedAfter) };
}

async function expectServed(gateway: TestedGateway, traffic: Traffic, servedAfter: readonly number[]) {
  expect(traffic.count('broken')).toBe(0);
  expect(Math.max(...servedAfter)).toBeLessThan(5_000);
  expect(await gateway.process().terminate()).toBe(0);
}
