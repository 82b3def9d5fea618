import { afterAll, beforeAll, expect, test } from 'vitest';
import { wasRefused } from '../../src/db/failures.js';
import { createTestApp, type TestApp } from '../harness.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  await app.sql('create sequence attempts');
});
afterAll(() => app[Symbol.asyncDispose]());

test('a key that another call has taken is told by the name of its index, in any language', async () => {
  await failOnce('idempotency_key', '23505', {
    message: 'doppelter Schlüsselwert verletzt Unique-Constraint »idempotency_key_pkey«',
    constraint: 'idempotency_key_pkey',
  });
  const headers = { 'idempotency-key': 'a' };

  const start = await app.rest('POST', '/genesys/1/cs/services/start', {
    headers,
    body: { customer_id: 'anna' },
  });
  const schema = { name: 'Note', type: 'single-valued', attributes: [{ name: 'a', type: 'integer' }] };
  await app.sql('select setval($1, 1, false)', ['attempts']);
  const create = await app.rest('POST', '/metadata/services/extensions', {
    headers: { 'idempotency-key': 'b' },
    body: schema,
  });

  expect([start.status, create.status, create.text]).toEqual([201, 201, '{"name":"Note"}']);
});

test('a mapping is tried again whose attribute came meanwhile, in any language', async () => {
  await failOnce('field_mapping', '23503', {
    message: '»field_mapping« verletzt Fremdschlüssel-Constraint »field_mapping_tenant_attribute_key_fkey«',
    constraint: 'field_mapping_tenant_attribute_key_fkey',
  });
  const query = `mutation {
    defineBusinessAttribute(input: { name: "Kinds", values: [{ dbid: 1, name: "a" }] }) { __typename }
    mapField(input: { field: SERVICE_TYPE, businessAttribute: "Kinds" }) { __typename }
  }`;

  const { json } = await app.rest('POST', '/graphql', { body: { query } });

  expect(json).toMatchObject({ data: { mapField: { __typename: expect.stringMatching(/Payload/) } } });
});

test.each([
  ['ERROR', true],
  // As German servers call an error and a panic.
  ['FEHLER', false],
  ['PANIK', false],
])('a disk that is full has refused a write where that is for certain no panic: %s', (severity, isRefusal) => {
  expect(wasRefused({ code: '53100', severity })).toBe(isRefusal);
});

/** Servers of this kind speak English alone; what they refuse once can still say so otherwise. */
async function failOnce(table: string, code: string, said: { message: string; constraint: string }) {
  await app.sql('select setval($1, 1, false)', ['attempts']);
  await app.sql(`create function fail_${table}() returns trigger language plpgsql as $$ begin
    if nextval('attempts') = 1 then
      raise '${said.message}' using errcode = '${code}', constraint = '${said.constraint}';
    end if;
    return new;
  end $$`);
  await app.sql(
    `create trigger fail before insert on ${table} for each row execute function fail_${table}()`,
  );
}
