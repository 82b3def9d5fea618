import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ConfigError, type Environment, readConfig, settings } from '../src/config.js';

test('an empty environment gives the documented defaults', () => {
  const config = readConfig({});

  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    hasDemoData: true,
    corsOrigins: [],
    logLevel: 'info',
  });
  expect(config.database).toEqual({ kind: 'embedded', directory: `${process.cwd()}/data` });
});

test('a variable that is set to nothing is as one that is absent', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '', DEMO_DATA: '' })).toEqual(readConfig({}));
});

test('every fault is listed at once, each with its variable, the rule and what was given', () => {
  const faults = faultsOf({
    PORT: '70000',
    LOG_LEVEL: 'loud',
    DEMO_DATA: 'yes',
    CORS_ORIGINS: 'example.com',
  });

  expect(faults).toEqual([
    'PORT must be an integer from 0 to 65535, is "70000"',
    'DEMO_DATA must be on or off, is "yes"',
    'CORS_ORIGINS must be origins like https://desk.example.com, comma separated, is "example.com"',
    'LOG_LEVEL must be fatal or error or warn or info or debug or trace or silent, is "loud"',
  ]);
});

test.each([
  '0.0.0.0',
  '::',
  '192.0.2.1',
  'gateway.example.com',
])('listening on %s has to be said in so many words', (host) => {
  expect(faultsOf({ HOST: host })).toHaveLength(1);
  expect(readConfig({ HOST: host, AUTH: 'none' }).host).toBe(host);
});

test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is loopback', (host) => {
  expect(readConfig({ HOST: host }).host).toBe(host);
});

test('a database URL is taken as it is, and never shown when it is at fault', () => {
  const url = 'postgresql://gateway:secret@db.example.com/contexts';

  expect(readConfig({ DATABASE_URL: url }).database).toEqual({ kind: 'url', url });
  expect(faultsOf({ DATABASE_URL: 'mysql://gateway:secret@db/contexts' }).join()).not.toContain('secret');
});

test('README shows every setting with its default and its description', async () => {
  const readme = await readFile('README.md', 'utf8');

  const rows = Object.entries(settings).map(
    ([name, { fallback, description }]) =>
      `| \`${name}\` | ${fallback ? `\`${fallback}\`` : ''} | ${description} |`,
  );
  expect(readme).toContain(rows.join('\n'));
});

function faultsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}
