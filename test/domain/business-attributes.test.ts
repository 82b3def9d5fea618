import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '../../src/db/database.js';
import type { Registry } from '../../src/db/registry.js';
import { applyBusinessAttributes, readAttributeSet } from '../../src/domain/attribute-sets.js';
import {
  defineBusinessAttribute,
  deleteBusinessAttribute,
  mapField,
  setMapNames,
} from '../../src/domain/business-attributes.js';
import {
  codeFor,
  mappableFields,
  mappedField,
  shownCode,
  storedForms,
} from '../../src/domain/field-mappings.js';
import type { Origin } from '../../src/domain/service-writes.js';
import { defaultTenant } from '../../src/domain/tenants.js';
import { Conflict, Invalid, NotFound } from '../../src/errors.js';
import { createTestApp, type TestApp } from '../harness.js';

let now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;
/** Another gateway on the same database, with a memory of its own. */
let replica: TestApp;
let db: Db;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  replica = await createTestApp({ now: () => now, database: app });
  db = app.gateway.database.forTenant(defaultTenant);
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const values = [
  { dbid: 1001, name: 'voice' },
  { dbid: 1003, name: 'email' },
];

async function define(name: string): Promise<void> {
  const origin: Origin = { front: 'REST', requestId: 'r', principal: null, receivedAt: now };
  await defineBusinessAttribute(db, origin, { fields: { name, values } });
}

async function versionOf(tenant = defaultTenant): Promise<number> {
  const [row] = await app.sql('select registry_version from tenant where id = $1', [tenant]);
  return Number(row?.['registry_version']);
}

describe('codes', () => {
  let registry: Registry;
  let named: Registry;

  beforeAll(async () => {
    await define('Media');
    await mapField(db, { field: 'Service.media_type', businessAttribute: 'Media' });
    registry = await db.registry.current();
    named = { ...registry, mapNames: true };
  });

  test.each([1001, '1001', 'voice'])('of a mapped field %j is stored as its dbid', (given) => {
    expect(codeFor(registry, 'Service.media_type', given)).toEqual({ ok: true, value: 1001 });
  });

  test.each([
    1002,
    '1002',
    '01001',
    ' voice',
    'Voice',
    '',
    0,
    1001.5,
  ])('of a mapped field %j is refused, with what is not', (given) => {
    const refusal = {
      ok: false,
      fault: {
        message: 'must be a value of the business attribute Media, by its name or its dbid',
        allowed: ['voice', '1001', 'email', '1003'],
      },
    };

    expect(codeFor(registry, 'Service.media_type', given)).toEqual(refusal);
    expect(storedForms(registry, 'Service.media_type', given)).toEqual(refusal);
  });

  test.each([1002, '1002', 'x'])('of a field that is not mapped %j is stored and shown as it is', (code) => {
    expect(codeFor(registry, 'State.media_type', code)).toEqual({ ok: true, value: code });
    expect(shownCode(named, 'State.media_type', code)).toBe(code);
  });

  test.each([1001, '1001', 'voice'])('%j, stored in whichever form, is shown as dbid or name', (stored) => {
    expect(shownCode(registry, 'Service.media_type', stored)).toBe(1001);
    expect(shownCode(named, 'Service.media_type', stored)).toBe('voice');
  });

  test.each([null, 7, '7', 'pigeon'])('%j, stored before the mapping, is shown as it is', (stored) => {
    expect(shownCode(registry, 'Service.media_type', stored)).toBe(stored);
    expect(shownCode(named, 'Service.media_type', stored)).toBe(stored);
  });

  test.each([1001, '1001', 'voice'])('a filter of %j finds every form of a mapped field', (given) => {
    expect(storedForms(registry, 'Service.media_type', given)).toEqual({
      ok: true,
      value: [1001, '1001', 'voice'],
    });
  });

  test.each([
    [100, ['100', 100]],
    ['100', ['100', 100]],
    ['0100', ['0100']],
    ['-1', ['-1', -1]],
    ['9007199254740993', ['9007199254740993']],
    ['voice', ['voice']],
    ['', ['']],
  ])('a filter of %j finds integer and digits of a field that is not mapped', (given, value) => {
    expect(storedForms(registry, 'Task.media_type', given)).toEqual({ ok: true, value });
  });

  test('fields have one or two keys', () => {
    expect(mappedField('State.state_type')).toEqual({ ok: true, value: 'State.type' });
    expect(mappedField('Task.task_type')).toEqual({ ok: true, value: 'Task.type' });
    for (const field of mappableFields) expect(mappedField(field)).toEqual({ ok: true, value: field });
    for (const none of ['Service.state_type', 'service.type', '__proto__', 1, null]) {
      expect(mappedField(none)).toMatchObject({ ok: false, fault: { allowed: mappableFields } });
    }
  });
});

describe('the version of the registry', () => {
  test('grows by one with each change, and stays where nothing changes', async () => {
    const steps: (() => Promise<unknown>)[] = [
      () => define('Counted'),
      () => mapField(db, { field: 'Task.type', businessAttribute: 'Counted' }),
      () => setMapNames(db, true),
      () => setMapNames(db, false),
      () => mapField(db, { field: 'Task.type', businessAttribute: null }),
      () => deleteBusinessAttribute(db, 'Counted'),
    ];
    const nothing: (() => Promise<unknown>)[] = [
      () => mapField(db, { field: 'Task.type', businessAttribute: null }),
      () => setMapNames(db, false),
      () => deleteBusinessAttribute(db, 'Counted').catch((error) => expect(error).toBeInstanceOf(NotFound)),
    ];
    for (const step of steps) {
      const before = await versionOf();
      await step();
      expect(await versionOf(), String(step)).toBe(before + 1);
    }
    const before = await app.hash();
    for (const step of nothing) await step();
    expect(await app.hash()).toBe(before);
  });

  test('what one gateway maps, another one has loaded after 5 s, without being asked', async () => {
    const other = replica.gateway.database.forTenant(defaultTenant);
    const ask = () => replica.rest('GET', '/services/404');
    await ask();

    await define('Seen');
    await mapField(db, { field: 'Task.resource_type', businessAttribute: 'Seen' });
    now = new Date(now.getTime() + 5_000);
    await ask();

    expect(other.registry.loaded.mappings.get('Task.resource_type')?.attribute.name).toBe('Seen');
    expect(other.registry.isLoaded).toBe(true);
  });

  test('metadata tells at once, at every gateway', async () => {
    await replica.rest('GET', '/metadata/business-attributes');

    await define('Fresh');
    const { status } = await replica.rest('GET', '/metadata/business-attributes/fresh');

    expect(status).toBe(200);
  });

  test('the gateway that maps has the mapping loaded with its next call', async () => {
    await app.rest('GET', '/services/404');

    await define('Own');
    await mapField(db, { field: 'Task.application_type', businessAttribute: 'Own' });
    const { status } = await app.rest('GET', '/services/404');

    expect(status).toBe(404);
    expect(db.registry.loaded.mappings.has('Task.application_type')).toBe(true);
  });

  test('a call costs no statement for it, but for the first one after a change', async () => {
    const ask = () => replica.countStatements(() => replica.rest('GET', '/services/404'));
    now = new Date(now.getTime() + 5_000);
    await ask();
    const settled = await ask();
    now = new Date(now.getTime() + 5_000);
    const lookedUp = await ask();

    await define('Costly');
    const unnoticed = await ask();
    now = new Date(now.getTime() + 5_000);
    const changed = await ask();
    const after = await ask();

    expect([settled, lookedUp, unnoticed, changed, after]).toEqual([1, 1, 1, 4, 1]);
  });
});

test('of a mapping and a deletion at once one succeeds, whichever gateway they come to', async () => {
  const other = replica.gateway.database.forTenant(defaultTenant);
  const outcomes = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const name = `Raced ${round}`;
    await define(name);

    const [mapped, deleted] = await Promise.allSettled([
      mapField(db, { field: 'State.disposition', businessAttribute: name }),
      deleteBusinessAttribute(other, name),
    ]);

    outcomes.add(`${mapped.status} ${deleted.status}`);
    if (mapped.status === 'rejected') expect(mapped.reason).toBeInstanceOf(NotFound);
    if (deleted.status === 'rejected') expect(deleted.reason).toBeInstanceOf(Conflict);
    const { mappings } = await db.registry.latest();
    expect(mappings.get('State.disposition')?.attribute.name === name).toBe(mapped.status === 'fulfilled');
  }
  expect(
    [...outcomes].filter((outcome) => !['fulfilled rejected', 'rejected fulfilled'].includes(outcome)),
  ).toEqual([]);
});

describe('a whole set', () => {
  const whole = {
    mapNames: true,
    businessAttributes: [
      { name: 'Media', dbid: 3, values },
      {
        name: 'Case',
        displayName: 'Case type',
        values: [{ dbid: 1, name: 'claim', description: 'A claim.' }],
      },
    ],
    fieldMappings: { 'Service.media_type': 'media', 'Service.service_type': 'Case' },
  };
  const apply = (given: unknown) => {
    const set = readAttributeSet(given);
    return app.gateway.database.transaction('acme', (transaction) =>
      applyBusinessAttributes(transaction, set),
    );
  };
  const acme = () => app.gateway.database.forTenant('acme').registry.latest();

  beforeAll(async () => {
    await app.sql("insert into tenant (id) values ('acme')");
  });

  test('is what the tenant has then, and nothing else', async () => {
    const first = await apply(whole);
    const registry = await acme();
    const again = await apply(structuredClone(whole));

    expect(first).toEqual({
      defined: ['Media', 'Case'],
      removed: [],
      mapped: ['Service.media_type', 'Service.type'],
      unmapped: [],
      mapNames: true,
    });
    expect(registry).toMatchObject({
      version: 2,
      mapNames: true,
      businessAttributes: [
        { name: 'Case', displayName: 'Case type', fields: ['Service.type'] },
        { name: 'Media', dbid: 3, values, fields: ['Service.media_type'] },
      ],
    });
    expect(again).toEqual({ defined: [], removed: [], mapped: [], unmapped: [] });
    expect(await versionOf('acme')).toBe(2);

    const second = await apply({
      businessAttributes: [
        { name: 'Media', dbid: 3, values },
        { name: 'Order', values: [{ dbid: 1, name: 'claim' }] },
      ],
      fieldMappings: { 'Service.type': 'Order' },
    });

    expect(second).toEqual({
      defined: ['Order'],
      removed: ['Case'],
      mapped: ['Service.type'],
      unmapped: ['Service.media_type'],
      mapNames: false,
    });
    const { version, mapNames, businessAttributes } = await acme();
    expect([version, mapNames]).toEqual([3, false]);
    expect(businessAttributes.map(({ name, fields }) => [name, fields])).toEqual([
      ['Media', []],
      ['Order', ['Service.type']],
    ]);
  });

  test('that changes a value in place, or the spelling of a name, defines the attribute anew', async () => {
    const set = (name: string, value: string) => ({
      businessAttributes: [{ name, values: [{ dbid: 1, name: value }] }],
      fieldMappings: { 'Task.type': 'SPELLED' },
    });
    await apply(set('Spelled', 'a'));

    const value = await apply(set('Spelled', 'b'));
    const spelling = await apply(set('spelled', 'b'));

    expect(value).toEqual({ defined: ['Spelled'], removed: [], mapped: [], unmapped: [] });
    expect(spelling).toEqual({ defined: ['spelled'], removed: [], mapped: [], unmapped: [] });
    expect((await acme()).businessAttributes).toMatchObject([{ name: 'spelled', fields: ['Task.type'] }]);
  });

  test('that is empty removes them all', async () => {
    await apply(whole);

    const removed = await apply({ businessAttributes: [] });

    expect(removed).toMatchObject({
      removed: ['Case', 'Media'],
      unmapped: ['Service.type', 'Service.media_type'],
    });
    expect((await acme()).businessAttributes).toEqual([]);
  });

  test('of a tenant that is not there is refused', async () => {
    const set = readAttributeSet({ businessAttributes: [] });
    const act = app.gateway.database.transaction('nowhere', (db) => applyBusinessAttributes(db, set));

    await expect(act).rejects.toThrow('There is no tenant nowhere.');
  });

  test('with faults is told all of them', () => {
    const faults = faultsOf({
      mapNames: 'yes',
      attributes: [],
      businessAttributes: [
        { name: 'Twice', values },
        { name: 'TWICE', values: [{ dbid: 1, name: 'a' }, { dbid: 1, name: 'b', colour: 'red' }, 7] },
        'Media',
        { values: {}, dbid: '7' },
      ],
      fieldMappings: {
        'Service.colour': 'Twice',
        'Task.type': 'Nothing',
        'Task.task_type': 'Twice',
        'State.type': null,
      },
    });

    expect(faults).toEqual([
      'attributes: is not known here',
      'businessAttributes[1].values[1].colour: is not known here',
      'businessAttributes[1].values[2]: must be an object',
      'businessAttributes[1].values[1].dbid: is given twice',
      'businessAttributes[1].name: is given twice',
      'businessAttributes[2]: must be an object',
      'businessAttributes[3].name: is required',
      'businessAttributes[3].dbid: must be an integer from 1 to 9007199254740991',
      'businessAttributes[3].values: must be a list of 1 to 1000 values',
      expect.stringMatching(/^fieldMappings.Service.colour: must be one of Service.type, /),
      'fieldMappings.Task.type: must be mapped to the name of one of the businessAttributes',
      'fieldMappings.State.type: must be mapped to the name of one of the businessAttributes',
      'mapNames: must be true or false',
    ]);
    expect(faultsOf({ ...whole, fieldMappings: { 'Task.type': 'Case', 'Task.task_type': 'Media' } })).toEqual(
      ['fieldMappings.Task.task_type: is Task.type, which is given twice'],
    );
    expect(faultsOf({})).toEqual([
      'businessAttributes: must be a list of business attributes; an empty one removes them all',
    ]);
    expect(faultsOf([])).toEqual([': must be a JSON object']);
  });
});

function faultsOf(given: unknown): string[] {
  try {
    readAttributeSet(given);
  } catch (error) {
    if (error instanceof Invalid) return error.faults.map((fault) => new Invalid([fault]).message);
    throw error;
  }
  return [];
}
