import { fastify } from 'fastify';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OperationName, roles } from '../../src/domain/roles.js';
import { guardRootFields } from '../../src/graphql/roles.js';
import { registerRest } from '../../src/rest/routes.js';
import { createTestApp, type TestApp } from '../harness.js';
import { basic, bearer, createIssuer, hashOfTenant, makeKey, makeTenants } from './makers.js';
import {
  type Estate,
  exampleOf,
  makeEstate,
  operationNames,
  outcomeOf,
  renew,
  secretOf,
  send,
} from './operations.js';

type Headers = Record<string, string>;

let app: TestApp;
/** Credentials that are none, by what is wrong with them. */
let refused: Readonly<Record<string, Headers>>;
/** Credentials of each role for each of the two tenants, of every kind. */
const admitted: { role: (typeof roles)[number]; tenant: 'own' | 'other'; kind: string; headers: Headers }[] =
  [];
let estate: Estate;

beforeAll(async () => {
  const { auth, issue } = createIssuer();
  app = await createTestApp({ auth });
  await makeTenants(app, 'own', 'other');
  const { key, id } = await makeKey(app, { tenants: ['own'] });
  for (const role of roles) {
    for (const tenant of ['own', 'other'] as const) {
      const credentials = await makeKey(app, { role, tenants: [tenant] });
      const token = await issue({ tenant, roles: ['unknown', role.toLowerCase().replace('_', '-')] });
      admitted.push({ role, tenant, kind: 'key', headers: bearer(credentials.key) });
      admitted.push({ role, tenant, kind: 'token', headers: bearer(token) });
      admitted.push({ role, tenant, kind: 'basic', headers: basic('anybody', credentials.key) });
    }
  }
  const revoked = await makeKey(app, { tenants: ['own'] });
  await app.sql('update api_key set revoked_at = now() where id = $1', [revoked.id]);
  const claims = { tenant: 'own', roles: ['operator'] };
  refused = {
    none: {},
    empty: { authorization: '' },
    expired: bearer(await issue(claims, { expiresInSeconds: -60 })),
    forged: bearer(await createIssuer().issue(claims)),
    'a key of another secret': bearer(`cgw_${id}_${'x'.repeat(43)}`),
    revoked: bearer(revoked.key),
    'revoked, as a password': basic('anybody', revoked.key),
  };
  estate = await makeEstate(app, key, 'own');
});
afterAll(() => app[Symbol.asyncDispose]());

test('every operation of both fronts is tried here', () => {
  expect(operationNames.filter((name) => !exampleOf(name))).toEqual([]);
  expect(operationNames.length).toBeGreaterThan(50);
});

describe.each(operationNames.map((name, index) => [name, index] as const))('%s', (name, index) => {
  const example = exampleOf(name);
  if (!example) return;
  const { least, request, isRead, isById, isForAllTenants } = example;
  const may = (role: (typeof roles)[number]) => !isForAllTenants && isEnough(role, least);
  const challenge = challengeOf(name);

  // Asked once for all of them: to see which one has an effect, run it alone.
  describe('without effect', () => {
    let before: string;
    beforeAll(async () => {
      before = await app.hash();
    });
    afterAll(async () => {
      expect(await app.hash()).toBe(before);
    });

    test('without credentials that hold it answers 401 and does nothing', async () => {
      for (const [fault, headers] of Object.entries(refused)) {
        const answer = await send(app, request(estate), headers);

        expect([answer.status, outcomeOf(answer)], fault).toEqual([401, 'UNAUTHENTICATED']);
        expect(answer.headers['www-authenticate'], fault).toMatch(challenge);
        expect(answer.text).not.toContain(secretOf('own'));
      }
    });

    test(`a role below ${least} may not, and nothing is done`, async () => {
      for (const { role, kind, headers } of ofTenant('own', index).filter(({ role }) => !may(role))) {
        const answer = await send(app, request(estate), headers);

        expect(outcomeOf(answer), `${role} ${kind}`).toBe('FORBIDDEN');
        expect(answer.status).toBe(name.includes('.') ? 200 : 403);
        expect(answer.text).not.toContain(secretOf('own'));
      }
    });

    test('a tenant that is not allowed and one that there is not get the same answer, and nothing is done', async () => {
      for (const { headers } of ofTenant('other', index)) {
        const answers = [];
        for (const tenant of ['own', 'nowhere', '', 'own, other']) {
          answers.push(await send(app, request(estate), { ...headers, contactcenterid: tenant }));
        }

        for (const { status, text } of answers) {
          expect([status, text]).toEqual([400, answers[0]?.text]);
          expect(text).toContain('ContactCenterId');
        }
      }
    });
  });

  test(`${least} and the roles above it may`, async () => {
    const allowed = ofTenant('own', index).filter(({ role }) => may(role));
    // All at once: one after another they take longest here.
    const calls = allowed.map(async (credentials) => ({
      ...credentials,
      target: isRead ? estate : await renew(app, estate),
    }));
    for (const { role, kind, headers, target } of await Promise.all(calls)) {
      const answer = await send(app, request(target), headers);

      expect(outcomeOf(answer), `${role} ${kind} ${answer.text}`).toBe('OK');
      if (isRead) expect(answer.text).toContain(secretOf('own'));
    }
  });

  test('another tenant sees and changes nothing of it, whatever its role', async () => {
    const before = await hashOfTenant(app, 'own');

    for (const { role, kind, headers } of ofTenant('other', index)) {
      const answer = await send(app, request({ ...estate, newName: `Of_${role}_${kind}` }), headers);

      expect(answer.text, `${role} ${kind}`).not.toContain(secretOf('own'));
      if (isById && may(role)) {
        const nowhere = await send(app, request({ ...estate, serviceId: '404040404' }), headers);
        const told = answer.text.replaceAll(estate.serviceId, '404040404');
        expect([answer.status, told]).toEqual([nowhere.status, nowhere.text]);
      }
    }
    expect(await hashOfTenant(app, 'own')).toBe(before);
  });
});

/** Browsers that open GraphiQL are asked for no password. */
function challengeOf(name: string): RegExp {
  return name.includes('.') ? /^Bearer realm="[^"]+"$/ : /^Bearer .*, Basic /;
}

/** One of each role: from one operation to the next each role takes the next kind of credentials. */
function ofTenant(tenant: 'own' | 'other', index: number) {
  return roles.flatMap((role, place) => {
    const kinds = admitted.filter(
      (credentials) => credentials.tenant === tenant && credentials.role === role,
    );
    return kinds[(index + place) % kinds.length] ?? [];
  });
}

function isEnough(role: (typeof roles)[number], least: (typeof roles)[number]): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

test('a root field that the table of roles lacks keeps the schema from being made', () => {
  const fields = { unheardOf: { type: GraphQLString } };
  const query = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields }) });

  expect(() => guardRootFields(query)).toThrow('unheardOf is missing in the table of roles');
});

test('a path whose operation the table of roles lacks keeps the gateway from starting', () => {
  const name = 'unheardOf' as OperationName;
  const operation = async () => ({ status: 200 }) as const;

  expect(() => registerRest(fastify(), app.gateway, [['GET', '/new', name, operation]])).toThrow(
    'unheardOf is missing in the table of roles',
  );
});
