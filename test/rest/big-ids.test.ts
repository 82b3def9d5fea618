import { expect, test } from 'vitest';
import { createTestApp } from '../harness.js';
import { basePaths } from './calls.js';

test.each(
  basePaths,
)('under "%s" an id beyond a double is a whole JSON integer in every answer', async (base) => {
  await using app = await createTestApp();
  await app.sql("select setval('service_id_seq', 9223372036854775806)");
  const id = '9223372036854775807';

  const started = await app.rest('POST', `${base}/services/start`, {
    body: { contact_key: 'k', service_type: 1 },
  });
  const anonymous = await app.rest('GET', `${base}/services/anonymous/k`);
  const associated = await app.rest('POST', `${base}/customers/c/services/${id}`, {
    body: { service_id: id },
    headers: { prefer: 'return=representation' },
  });
  const ended = await app.rest('POST', `${base}/services/${id}/end`);
  const queried = await app.rest('GET', `${base}/services/${id}`);
  const list = await app.rest('GET', `${base}/customers/c/services?limit=1&extensions=*`);

  expect(started).toMatchObject({
    text: `{"service_id":${id}}`,
    headers: { location: `${base}/services/${id}` },
  });
  expect(ended).toMatchObject({ status: 200, headers: { etag: '"3"' } });
  for (const { text } of [anonymous, associated, queried, list])
    expect(text).toContain(`{"service_id":${id},`);
});
