import autocannon from 'autocannon';
import { draw, fill } from '../exchange.js';
import type { LoadRequest } from '../load.js';

/** Puts load on a server by autocannon, as the arguments say; prints what load.ts reads. */
const [argument = ''] = process.argv.slice(2);
// Written by load.ts.
const { url, exchange, draws, connections, seconds } = JSON.parse(argument) as LoadRequest;

const latencies: number[] = [];
let wrong = 0;
let example = '';

const result = await autocannon({
  url,
  connections,
  duration: seconds,
  timeout: 10,
  verifyBody: (body) => {
    const text = String(body);
    const isRight =
      !text.includes('"errors"') && text.split(exchange.mark.text).length === exchange.mark.times + 1;
    if (!isRight) {
      wrong += 1;
      example ||= text.slice(0, 500);
    }
    return isRight;
  },
  requests: [
    {
      method: exchange.method,
      headers: { ...exchange.headers },
      setupRequest: (request) => {
        const values = draw(draws);
        const body = exchange.method === 'POST' ? { body: fill(exchange.body, values) } : {};
        return { ...request, path: fill(exchange.path, values), ...body };
      },
    },
  ],
  setupClient: (client) => {
    // In milliseconds, and finer than its own histogram.
    client.on('response', (_status, _bytes, milliseconds) => latencies.push(milliseconds));
  },
});

latencies.sort((one, other) => one - other);
const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
const [answers, broken] = [result['2xx'] + result.non2xx, result.errors];
console.log(
  `answers=${answers} seconds=${result.duration} wrong=${wrong + result.non2xx} broken=${broken} p50=${percentile(0.5)} p99=${percentile(0.99)}`,
);
console.log(`example=${example}`);
