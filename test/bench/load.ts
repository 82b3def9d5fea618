import type { Draws, Exchange } from './exchange.js';
import { type Command, loadGenerator } from './machine.js';
import { run, script } from './processes.js';

export type LoadRequest = {
  url: string;
  exchange: Exchange;
  draws: Draws;
  connections: number;
  seconds: number;
};

export type Load = { answers: number; seconds: number; p50Milliseconds: number; p99Milliseconds: number };

/**
 * Keeps a server busy for a while.
 * @throws Error on any answer that is not right, and on any connection that breaks
 */
export async function putLoad(
  request: LoadRequest,
  { core, signal }: { core: number | undefined; signal: AbortSignal },
): Promise<Load> {
  const output = await run(loadGenerator === 'wrk' ? wrk(request) : autocannon(request), { core, signal });
  const read = (name: string) => Number(new RegExp(`\\b${name}=([\\d.]+)`).exec(output)?.[1]);
  const [wrong, broken] = [read('wrong'), read('broken')];
  if (wrong !== 0 || broken !== 0) {
    const example = /^example=(.*)/m.exec(output)?.[1] || output;
    throw new Error(`${wrong} wrong answers, ${broken} broken connections under load; one: ${example}`);
  }
  return {
    answers: read('answers'),
    seconds: read('seconds'),
    p50Milliseconds: read('p50'),
    p99Milliseconds: read('p99'),
  };
}

function wrk({ url, exchange, draws, connections, seconds }: LoadRequest): Command {
  const { method, path, headers, body, mark } = exchange;
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const drawn = Object.entries(draws).flatMap(([name, { prefix, from, to }]) => [name, prefix, from, to]);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const options = ['-t', 1, '-c', connections, '-d', `${Math.ceil(seconds)}s`, '--timeout', '10s', ...named];
  const args = [
    ...options,
    '-s',
    'test/bench/load/wrk.lua',
    url,
    '--',
    method,
    path,
    body,
    mark.text,
    mark.times,
    seed,
  ];
  return { file: 'wrk', args: [...args, ...drawn].map(String) };
}

function autocannon(request: LoadRequest): Command {
  return script('load/autocannon.ts', [JSON.stringify(request)]);
}
