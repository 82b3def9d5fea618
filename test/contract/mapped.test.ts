import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { expectProblem, newIdOf } from './answers.js';
import {
  type BusinessAttribute,
  defineBusinessAttribute,
  mapEverything,
  mediaType,
  setMapNames,
  types,
  type Value,
} from './business-attributes.js';
import { bad, badQuery, bases, call, type Example, fill, type Refusal, spoil } from './row.js';
import { defineExtensions, now, type Scene, setScene } from './scene.js';
import { allRows } from './tables.js';
import { isUnder } from './walk.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  await defineExtensions(app);
  for (const attribute of mapEverything) await defineBusinessAttribute(app, attribute);
});
afterAll(() => app[Symbol.asyncDispose]());

const rows = allRows.flatMap((row) => (row.mappable ? [{ row, mappable: row.mappable }] : []));

test('every field that can be mapped is one of a body, and is mapped here', () => {
  const keys = rows.flatMap(({ mappable }) => Object.values(mappable));
  const mapped = mapEverything.flatMap((attribute) => attribute.cv_attributes);

  expect(mapped).toHaveLength(15);
  expect([...new Set(keys)].sort()).toEqual(mapped.sort());
});

/** What a caller can call a value. */
const forms: Readonly<Record<string, (value: Value) => string | number>> = {
  name: ({ name }) => name,
  dbid: ({ dbid }) => dbid,
  "dbid's digits": ({ dbid }) => String(dbid),
};

const cases = rows.flatMap((each) =>
  bases.filter((base) => isUnder(base, each.row)).map((base) => ({ ...each, base })),
);

describe.each(cases)('$row.operation under "$base", its fields mapped,', ({ row, mappable, base }) => {
  const fields = Object.entries(mappable).map(([field, key]) => ({ field, ...attributeOf(key) }));
  let scenes: Map<string, Scene>;
  beforeAll(async () => {
    const set = async (form: string) => [form, await setScene(app, base, row.scene)] as const;
    scenes = new Map(await Promise.all(['none', ...Object.keys(forms)].map(set)));
  });

  test.each(['smoke signal', 4711, '4711', ''])('refuses %j, and lists the values of each', async (value) => {
    const { the, example } = stage('none');
    const refusal: Refusal = {
      ...bad(spoiled(example, () => value)),
      errors: fields.map(({ field, values }) => ({ path: field, allowed: allowed(values) })),
    };
    const before = await app.hash();

    const answer = await call(app, row, the, spoil(example, refusal.defect));

    expectProblem(answer, refusal);
    expect(await app.hash()).toBe(before);
  });

  test.each(
    Object.entries(forms),
  )('takes a %s, and answers the dbid, or with map-names the name', async (form, of) => {
    const { the, example } = stage(form);

    const answer = await call(app, row, the, spoil(example, { with: spoiled(example, of) }));

    expect(answer.status, answer.text).toBe(example.answers.status);
    const asDbids = await shown(the, example, newIdOf(answer));
    await setMapNames(app, true);
    const asNames = await shown(the, example, newIdOf(answer));
    await setMapNames(app, false);
    for (const { field, values } of fields) {
      const { name, dbid } = lastOf(values);
      expect(asDbids).toContain(`"${field.replace(/.*\./, '')}":${dbid}`);
      expect(asNames).toContain(`"${field.replace(/.*\./, '')}":"${name}"`);
    }
  });

  function stage(form: string): { the: Scene; example: Example } {
    const the = scenes.get(form);
    const [make] = Object.values(row.examples);
    if (!the || !make) throw new Error('The row needs an example.');
    return { the, example: make(the) };
  }

  /** The example's body, with the last of its values in some form for every mapped field. */
  function spoiled({ body }: Example, of: (value: Value) => unknown): object {
    const members = structuredClone(Object(body));
    for (const { field, values } of fields) {
      // `from.disposition`, `services[0].state.state_type`
      const steps = field.split(/[.[\]]+/);
      const place = steps.slice(0, -1).reduce((within, step) => Reflect.get(within, step), members);
      Reflect.set(place, steps.at(-1) ?? '', of(lastOf(values)));
    }
    return members;
  }
});

const lists = [
  ['/customers/{customer_id}/services', 'service_types', 'claim', 100],
  ['/services/anonymous/{contact_key}', 'service_types', 'claim', 100],
  ['/services/{service_id}/states', 'state_types', 'deliver', 8],
  ['/services/{service_id}/tasks', 'task_types', 'verify', 5],
] as const;

describe.each(bases)('under "%s"', (base) => {
  let the: Scene;
  beforeAll(async () => {
    the = await setScene(app, base, 'states and tasks');
  });

  test.each(lists)('%s?%s=%s finds what the dbid %d does', async (path, parameter, name, dbid) => {
    const url = base + fill(path, the.values);

    const all = await app.rest('GET', url);
    const byName = await app.rest('GET', `${url}?${parameter}=${name}`);
    const byDbid = await app.rest('GET', `${url}?${parameter}=${dbid}`);

    const type = parameter.replace(/s$/, '');
    const found = all.json.filter((element: object) => Reflect.get(element, type) === dbid);
    expect(found.length).toBeGreaterThan(0);
    expect(byName.json).toEqual(found);
    expect(byDbid.json).toEqual(found);
  });

  test.each(lists)('%s refuses %s that are none', async (path, parameter) => {
    const answer = await app.rest('GET', `${base}${fill(path, the.values)}?${parameter}=smoke`);

    expectProblem(answer, badQuery('', { path: parameter, allowed: allowed(types.values) }));
  });

  test('a field is found under either of its names, and attributes tell whether names are answered', async () => {
    const url = `${base}/metadata/business-attributes`;

    const [byName, other] = await Promise.all(
      ['Service.type', 'Service.service_type'].map((key) => app.rest('GET', `${url}?cv-attribute=${key}`)),
    );
    await setMapNames(app, true);
    const named = await app.rest('GET', `${url}/MediaType`);
    await setMapNames(app, false);

    expect(byName?.json).toMatchObject({ name: types.name, map_name: false });
    expect(other?.json).toEqual(byName?.json);
    expect(named.json).toEqual({ ...mediaType, map_name: true });
  });
});

function attributeOf(key: string): BusinessAttribute {
  const found = mapEverything.find(({ cv_attributes }) => cv_attributes.includes(key));
  if (!found) throw new Error(`Nothing is mapped to ${key}.`);
  return found;
}

function allowed(values: readonly Value[]): string[] {
  return values.flatMap(({ name, dbid }) => [name, String(dbid)]);
}

function lastOf(values: readonly Value[]): Value {
  const last = values.at(-1);
  if (!last) throw new Error('A business attribute has values.');
  return last;
}

/** Whatever the example shows, as text. */
async function shown(the: Scene, { shows }: Example, newId: number): Promise<string> {
  const paths = (shows?.(newId) ?? []).map(([path]) => fill(path, { ...the.values, new_id: `${newId}` }));
  const answers = await Promise.all(paths.map((path) => app.rest('GET', the.base + path)));
  return answers.map(({ text }) => text).join();
}
