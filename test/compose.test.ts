import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../src/config.js';

type ComposeService = {
  image: string;
  environment?: Record<string, string>;
  ports?: string[];
  stop_grace_period?: string;
  read_only?: boolean;
  cap_drop?: string[];
  networks: string[];
};

const { services, volumes } = parse(await readFile('compose.yaml', 'utf8'), { merge: true });
const gateways: ComposeService[] = [services['gateway-1'], services['gateway-2']];

test('there are a PostgreSQL that keeps its data, two gateways that are alike, and a balancer', () => {
  expect(Object.keys(services)).toEqual(['postgres', 'gateway-1', 'gateway-2', 'balancer']);
  expect(gateways[0]).toEqual(gateways[1]);
  expect(volumes).toEqual({ database: null });
  for (const { image } of [services.postgres, services.balancer]) expect(image).toMatch(/^\w+:\d/);
});

test('no password has a value of its own, and a start without one is refused', async () => {
  const secrets = Object.values<ComposeService>(services)
    .flatMap(({ environment = {} }) => Object.entries(environment))
    .filter(([name]) => /PASSWORD|SECRET|KEY|URL/.test(name));

  expect(secrets.map(([name]) => name)).toEqual([
    'POSTGRES_PASSWORD',
    'GATEWAY_PASSWORD',
    'DATABASE_URL',
    'DATABASE_URL',
  ]);
  for (const [, value] of secrets) expect(value).toMatch(/\$\{\w+_PASSWORD:\?is set in \.env\}/);
});

test('the balancer alone can be reached, by this machine alone unless said otherwise', () => {
  const reachable = Object.entries<ComposeService>(services).filter(([, { ports }]) => ports);

  expect(reachable.map(([name]) => name)).toEqual(['balancer']);
  expect(services.balancer.ports).toEqual([expect.stringMatching(/^\$\{PUBLISH:-127\.0\.0\.1:4000\}:4000$/)]);
  expect(services.postgres.networks).toEqual(['database']);
});

test('a gateway is given settings that there are, time to stop, and nothing that it does not need', () => {
  for (const gateway of gateways) {
    for (const name of Object.keys(gateway.environment ?? {})) expect(settings).toHaveProperty(name);
    expect(gateway).toMatchObject({ stop_grace_period: '15s', read_only: true, cap_drop: ['ALL'] });
  }
});
