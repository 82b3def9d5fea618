import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { newSecret, pingOf, signedHeaders } from '../../src/domain/webhook-messages.js';
import { schema } from '../../src/graphql/schema.js';

const documentation = await readFile('docs/webhooks.md', 'utf8');

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(documentation)?.[1] ?? '';
}

type Verifier = (secret: string, headers: Record<string, string>, body: string) => boolean;

test('the verifier of the documentation finds what is sent genuine, and nothing else', async () => {
  const url = `data:text/javascript,${encodeURIComponent(block('js'))}`;
  const { isGenuine }: { isGenuine: Verifier } = await import(/* @vite-ignore */ url);
  const [secret, former] = [newSecret(), newSecret()];
  const until = new Date(Date.now() + 60_000);
  const secrets = { secret, previousSecret: former, previousSecretUntil: until };
  const message = pingOf('default', 1n, new Date());
  const headers = signedHeaders(message, secrets, new Date());
  const late = signedHeaders(message, secrets, new Date(Date.now() - 600_000));

  expect(isGenuine(secret, headers, message.body)).toBe(true);
  expect(isGenuine(former, headers, message.body)).toBe(true);
  expect(isGenuine(newSecret(), headers, message.body)).toBe(false);
  expect(isGenuine(secret, headers, `${message.body} `)).toBe(false);
  expect(isGenuine(secret, late, message.body)).toBe(false);
  expect(isGenuine(secret, {}, message.body)).toBe(false);
});

test('the mutation of the documentation is one of the schema', () => {
  expect(validate(schema, parse(block('graphql')))).toEqual([]);
});
