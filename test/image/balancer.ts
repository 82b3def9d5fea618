import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { project } from '../process.js';
import { stopped, untilServed } from './gateways.js';

export type Balancer = AsyncDisposable & {
  url: string;
  /** Whether it sends calls to both gateways. */
  hasBoth(): Promise<boolean>;
};

export type Ports = { balancer: string; gateways: readonly [string, string] };

const monitor = `  monitor-uri /both
  monitor fail if { nbsrv(gateways) lt 2 }`;

/** HAProxy with the configuration of the containers, but for their names, and a path that tells of the gateways. */
export async function startBalancer(folder: string, { balancer, gateways }: Ports): Promise<Balancer> {
  const configuration = (await readFile(join(project, 'deploy/haproxy.cfg'), 'utf8'))
    .replace(/^ {2}bind :4000$/m, `  bind 127.0.0.1:${balancer}\n${monitor}`)
    .replace('gateway-1:4000', `127.0.0.1:${gateways[0]}`)
    .replace('gateway-2:4000', `127.0.0.1:${gateways[1]}`);
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configuration);
  const child = spawn('haproxy', ['-db', '-f', file]);
  const url = `http://127.0.0.1:${balancer}`;
  await untilServed(`${url}/health`, child);
  return {
    url,
    async hasBoth() {
      const answer = await fetch(`${url}/both`);
      await answer.text();
      return answer.status === 200;
    },
    async [Symbol.asyncDispose]() {
      await stopped(child);
    },
  };
}
