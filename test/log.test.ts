import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { createGraphqlServer } from '../src/graphql/yoga.js';
import { createTestApp, type TestApp } from './harness.js';

const secrets = {
  customer: 'customer-4711',
  contact: 'contact-4712',
  value: 'value-4713',
  session: 'session-4714',
};

const start = `mutation ($input: StartServiceInput!) { startService(input: $input) { __typename ... on Error { message } } }`;

/** Calls of both fronts with all that is personal in them. */
async function call(app: TestApp): Promise<number[]> {
  const { customer, contact, value, session } = secrets;
  const body = { customer_id: customer, contact_key: contact, session_id: session, Note: { text: value } };
  const input = { customerId: customer, contactKey: contact, sessionId: session };
  const answers = [
    await app.rest('POST', '/genesys/1/cs/services/start', { body }),
    await app.rest('GET', `/customers/${customer}/services?extensions=*`),
    await app.rest('GET', `/services/anonymous/${contact}`),
    await app.rest('POST', '/graphql', { body: { query: start, variables: { input } } }),
    await app.rest('POST', '/graphql', {
      body: { query: `{ customer(id: "${customer}") { services { nodes { id } } } }` },
    }),
    await app.rest('POST', '/graphql', { rawBody: `{"query":"${value}` }),
    await app.rest('POST', '/services/start', { rawBody: `{"customer_id":"${value}` }),
  ];
  return answers.map(({ status }) => status);
}

const raise = (sqlState: string, message: string) => `
  create function fail() returns trigger language plpgsql as $$ begin
    raise exception using errcode = '${sqlState}', message = ${message},
      detail = new::text, hint = new::text, schema = new.customer_id, column = new.contact_key;
  end $$;
  create trigger fail before insert on service for each row execute function fail()`;

const said = "'no ' || new.customer_id || new.contact_key || new.session_id";

test.each([
  ['is refused as what PostgreSQL cannot read', 'alter table service alter customer_id type integer using 0'],
  ['breaks a constraint', `alter table service add check (customer_id <> '${secrets.customer}')`],
  [
    'is not unique',
    `create unique index on service ((customer_id || session_id));
    insert into service (tenant, customer_id, session_id, started_at, updated_at)
    values ('default', '${secrets.customer}', '${secrets.session}', now(), now())`,
  ],
  ['is refused by a trigger, with its data', raise('22023', said)],
  ['is refused by a trigger, with what it says', raise('P0001', said)],
  ['cannot be written for want of room, with its data', raise('53100', "'no room'")],
  ['breaks off, with its data', raise('57P01', "'the server ends'")],
  ['meets a table that is not there', 'alter table extension rename to elsewhere'],
])('nothing personal is logged when a call %s', async (_, fault) => {
  await using app = await createTestApp();
  await app.sql(fault);

  const statuses = await call(app);

  const logged = app.log.filter(({ level }) => Number(level) >= 30);
  expect(Math.max(...statuses)).toBeGreaterThanOrEqual(500);
  expect(logged.length).toBeGreaterThan(0);
  for (const secret of Object.values(secrets)) expect(JSON.stringify(logged)).not.toContain(secret);
});

test('what is logged of a failure says what kind it is and where it arose', async () => {
  await using app = await createTestApp();
  await app.sql('alter table service rename to elsewhere');

  await app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: secrets.customer } });

  const [line] = app.log.filter(({ level }) => level === 50);
  expect(line?.['err']).toMatchObject({
    code: '42P01',
    message: expect.stringContaining('relation "service" does not exist'),
    stack: expect.stringMatching(/^\s+at /),
  });
});

test('lines of a message that look like those of a stack are not logged as such', async () => {
  await using app = await createTestApp();
  const { logger } = app.gateway;
  const quoted = `no\n    at ${secrets.customer} (/file.js:1:1)\n    at ${secrets.value}:2`;
  const changed = new SyntaxError(`${quoted} once`);
  expect(changed.stack).toContain(secrets.customer);
  changed.message = 'other';

  logger.error({ err: new SyntaxError(quoted) }, 'a call failed');
  logger.error({ err: changed }, 'a call failed');
  logger.error({ err: new SyntaxError('') }, 'a call failed');

  const lines = app.log.filter(({ level }) => level === 50);
  expect(lines.map(({ err }) => err)).toEqual([
    expect.objectContaining({ stack: expect.stringMatching(/^\s+at .*log\.test\.ts/) }),
    expect.not.objectContaining({ stack: expect.anything() }),
    expect.objectContaining({ stack: expect.stringMatching(/^\s+at .*log\.test\.ts/) }),
  ]);
  for (const secret of [secrets.customer, secrets.value]) expect(JSON.stringify(lines)).not.toContain(secret);
});

test('what GraphQL and its server say of a document is not logged: they quote it', async () => {
  await using app = await createTestApp();
  const { yoga } = createGraphqlServer(app.gateway.logger, { hasIntrospection: true });
  const error = new GraphQLError(secrets.value, { extensions: { sent: secrets.customer } });

  yoga.logger.error(error);
  app.gateway.logger.error({ err: error }, 'a call failed');

  const lines = app.log.filter(({ level }) => level === 50);
  expect(lines).toMatchObject([
    { msg: 'GraphQL Yoga', line: [{ type: 'GraphQLError', message: 'What it says may quote a value.' }] },
    { msg: 'a call failed', err: { type: 'GraphQLError' } },
  ]);
  for (const secret of [secrets.customer, secrets.value]) expect(JSON.stringify(lines)).not.toContain(secret);
});

test('Prisma’s words on a call that it does not take are not logged: they quote it', async () => {
  await using app = await createTestApp();
  const { prisma } = app.gateway.database.admin;
  const error = await prisma.service
    .findMany({ where: { customerId: secrets.customer, nothing: 1 } as object })
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toContain(secrets.customer);

  app.gateway.logger.error({ err: error }, 'a call failed');

  const [line] = app.log.filter(({ level }) => level === 50);
  expect(line).toMatchObject({ err: { type: 'PrismaClientValidationError' } });
  expect(JSON.stringify(line)).not.toContain(secrets.customer);
});
