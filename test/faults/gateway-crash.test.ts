import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bootEmbedded, timeUntilServed } from './gateways.js';
import { measureNoise } from './noise.js';
import { milliseconds, report, rounds } from './rounds.js';
import { startTraffic } from './traffic.js';

const kills = rounds({ long: 20, short: 3 });

test(`kill -9 of the gateway under load, ${kills} times: nothing is lost or doubled, ready again in 5 s`, async () => {
  await using gateway = await bootEmbedded();
  const traffic = startTraffic({ url: gateway.url, callers: 16 });
  using noise = measureNoise();
  const readyAfter: number[] = [];
  const undisturbed: number[] = [];

  for (let round = 1; round <= kills; round++) {
    await traffic.acknowledges(150);
    await gateway.process().kill();
    const spawnedAt = performance.now();
    const { startLog, pid } = await gateway.boot();
    const milliseconds = await timeUntilServed(gateway.url, spawnedAt);
    readyAfter.push(milliseconds);
    const lost = Math.max(noise.lostSince(spawnedAt), await waitedForProcessor(pid));
    undisturbed.push(milliseconds - lost);
    expect(startLog.join()).toContain('adopted the PostgreSQL that was running');
  }
  await traffic.acknowledges(150);
  const { faults, counts } = await gateway.balance(await traffic.stop());

  report(`kill -9 of the gateway, ${kills} times`, {
    ...counts,
    'ready again after': milliseconds(readyAfter),
    'without what the machine kept from it': milliseconds(undisturbed),
  });
  expect(faults).toEqual([]);
  expect(Math.max(...undisturbed)).toBeLessThan(5_000);
});

/** How many milliseconds the process had work and others had the processors; 0 where that is not told. */
async function waitedForProcessor(pid: number): Promise<number> {
  const statistics = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0 0');
  return Number(statistics.split(' ')[1]) / 1_000_000;
}
