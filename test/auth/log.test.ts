import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { hashApiKey } from '../../src/domain/api-keys.js';
import { createLogger } from '../../src/logger.js';
import { createTestDatabase, execute } from '../databases.js';
import { basic, bearer, createIssuer, forgeToken, makeKey } from './makers.js';

test('nothing that is logged or answered holds a part of a secret, whatever fails', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const lines: string[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      lines.push(String(line));
      done();
    },
  });
  const { auth, issue } = createIssuer();
  await using app = await createApp({
    ...readConfig({}),
    ...database,
    poolSize: 2,
    sweeping: null,
    auth: { isOff: false, isReachable: false, jwt: null, ...auth },
    logger: createLogger('trace', sink),
  });
  const right = await makeKey(app);
  const unknown = `cgw_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  const token = await issue({ tenant: 'default', roles: 'operator' });
  const expired = await issue({ tenant: 'default', roles: 'operator' }, { expiresInSeconds: -60 });
  const forged = forgeToken({ alg: 'HS256' }, { tenant: 'default' }, 'guessed');
  const credentials = [
    bearer(right.key),
    basic('ivr', right.key),
    ...[unknown, token, expired, forged, `${right.key}x`].map(bearer),
    { authorization: right.key },
  ];
  const answers: string[] = [];
  const callWithAll = async () => {
    for (const headers of credentials) {
      for (const url of [
        '/services/1',
        '/genesys/1/cs/customers/c/services',
        '/graphql?query={services{nodes{id}}}',
        '/none',
      ]) {
        answers.push((await app.server.inject({ method: 'GET', url, headers })).body);
      }
      answers.push(
        (await app.server.inject({ method: 'POST', url: '/services/start', headers, payload: '{' })).body,
      );
    }
  };

  await callWithAll();
  await execute(database.connectionString, 'alter table service rename to elsewhere');
  await callWithAll();
  await execute(database.connectionString, 'alter table api_key rename to elsewhere_too');
  credentials.push(bearer(unknown.replace(/_\w/, '_0')));
  await callWithAll();

  const told = [...lines, ...answers].join('\n');
  expect(told).toMatch(/api_key/);
  expect(told).toMatch(/"level":50/);
  const secrets = [right.key, unknown].map((key) => key.slice(key.lastIndexOf('_', 21) + 1));
  const signatures = [token, expired, forged].map((jwt) => jwt.slice(jwt.lastIndexOf('.') + 1));
  const hashes = [hashApiKey(right.key).toString('hex'), hashApiKey(right.key).toString('base64')];
  const passwords = [basic('ivr', right.key).authorization?.slice(20) ?? ''];
  for (const part of [...secrets, ...signatures, ...hashes, ...passwords].flatMap(partsOf)) {
    expect(told).not.toContain(part);
  }
});

/** Every run of 10 characters. */
function partsOf(secret: string): string[] {
  expect(secret.length).toBeGreaterThan(30);
  return Array.from({ length: secret.length - 9 }, (_, at) => secret.slice(at, at + 10));
}
