import { expect, inject, test } from 'vitest';
import { bootTwoGateways } from './gateways.js';

test('64 callers at once with the same key, on two gateway processes, get one service, one state, one task', async () => {
  await using gateways = await bootTwoGateways(inject('serverUrl'));
  const entry = {
    service: { customer_id: 'c', service_type: 100, contact_key: 'k' },
    state: { state_type: 4 },
    task: { task_type: 'call' },
  };
  const start = async (index: number) => {
    const url = `${gateways.urls[index % 2]}/genesys/1/cs/services_composite/start`;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ services: [entry] }) });
    // As the legacy contract answers it.
    return (await answer.json()) as {
      service_id: number;
      service_created: boolean;
      state_id: number;
      task_id: number;
    }[];
  };

  const starts = (await Promise.all(Array.from({ length: 64 }, (_, index) => start(index)))).flat();

  expect(starts).toHaveLength(64);
  expect(
    new Set(starts.map(({ service_id, state_id, task_id }) => `${service_id}:${state_id}:${task_id}`)).size,
  ).toBe(1);
  expect(starts.filter(({ service_created }) => service_created)).toHaveLength(1);
}, 60_000);
