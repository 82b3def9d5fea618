import { expect, test } from 'vitest';
import { bearer, makeKey } from '../auth/makers.js';
import { createTestApp } from '../harness.js';

test('however many addresses come, the count of a key stays', async () => {
  await using app = await createTestApp({ settings: { RATE_LIMIT: '2/h' } });
  const { key } = await makeKey(app);
  const call = (remoteAddress: string, headers = {}) =>
    app.server.inject({ url: '/nothing', remoteAddress, headers });
  for (let time = 0; time < 2; time++) await call('192.0.2.1', bearer(key));

  for (let host = 0; host < 10_001; host++) await call(`10.0.${host >> 8}.${host & 255}`);
  const { statusCode } = await call('192.0.2.1', bearer(key));

  expect(statusCode).toBe(429);
});
