// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the sources
import { expect, inject, test } from 'vitest';
import { checkHistory } from '../history/checker.js';
import { bootTwoGateways, type PlantedBug, plant } from '../history/gateways.js';
import { runWorkload } from '../history/workload.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const services = 50;
const clients = 64;

test(`20,000 operations of 64 clients over two gateways leave nothing lost, doubled or half done (SEED=${seed})`, async () => {
  await using gateways = await bootTwoGateways(inject('serverUrl'));

  const calls = await runWorkload({ urls: gateways.urls, clients, operations: 20_000, services, seed });

  const acted = calls.filter(({ kind, status, replayed }) => kind !== 'read' && status === 200 && !replayed);
  const replayed = calls.filter((call) => call.replayed);
  const refused = calls.filter(({ status }) => status !== 200);
  console.log(
    `${calls.length} calls: ${acted.length} acted, ${replayed.length} replayed, ${refused.length} refused`,
  );
  expect(replayed.length).toBeGreaterThan(100);
  expect(refused.length).toBeGreaterThan(100);
  expect(await checkHistory(gateways.connectionString, calls)).toEqual([]);
}, 300_000);

const statements = 'domain/service-statements.ts';

const bugs: (PlantedBug & { breaks: string })[] = [
  {
    name: 'a dropped history row',
    file: 'domain/record-statements.ts',
    edits: [
      [
        'from written w where w.version = w.associated_version',
        'from written w where w.version = w.associated_version and w.version % 7 <> 0',
      ],
    ],
    breaks: 'history',
  },
  {
    name: 'a version that counts by two now and then',
    file: statements,
    edits: [
      [
        'version = s.version + 1, updated_at',
        'version = s.version + 1 + (s.version % 9 = 8)::int, updated_at',
      ],
    ],
    breaks: 'versions',
  },
  {
    name: 'an owner read beside the UPDATE',
    file: statements,
    edits: [
      [
        'prev_customer_id = case when ${hasMoved} then s.customer_id',
        'prev_customer_id = case when ${hasMoved} then (select r.customer_id from service r where r.tenant = s.tenant and r.id = s.id)',
      ],
    ],
    breaks: 'history',
  },
  {
    name: 'a version that is checked before the UPDATE',
    file: statements,
    edits: [
      [
        '(c.expected_version is null or c.expected_version = s.version)',
        '(c.expected_version is null or c.expected_version = (select r.version from service r where r.tenant = s.tenant and r.id = s.id))',
      ],
    ],
    breaks: 'lost update',
  },
  {
    name: 'extensions in two statements',
    file: 'domain/service-writes.ts',
    edits: [
      [
        'if (service) return written(service, command);',
        `if (service) {
          for (const { name_key: nameKey, value } of command.extensions.slice(1)) {
            await db.prisma.extension.updateMany({ where: { tenant: db.tenant, serviceId: service.id, nameKey }, data: { value: value as never } });
          }
          return written(service, command);
        }`,
      ],
      [
        '    extensions,\n    extension_bytes:',
        '    extensions: extensions.map((extension, index) => (index === 0 ? extension : { ...extension, value: "pending" })),\n    extension_bytes:',
      ],
    ],
    breaks: 'extensions',
  },
  {
    name: 'a key outside the statement',
    file: 'domain/service-writes.ts',
    edits: [
      ['    idempotency_key: write.idempotencyKey,', '    idempotency_key: null,'],
      [
        'if (service) return written(service, command);',
        `if (service) {
          if (write.idempotencyKey) {
            await db.prisma.idempotencyKey.createMany({ skipDuplicates: true, data: [{ tenant: db.tenant, key: write.idempotencyKey, commandHash, createdAt: origin.receivedAt,
              outcome: { serviceId: String(service.id), version: service.version } }] });
          }
          return written(service, command);
        }`,
      ],
    ],
    breaks: 'keys',
  },
];

/** Two gateways have to meet at one service at the wrong moment, which some bugs need luck for. */
const mostWorkloads = 25;

test.each(bugs)('the check finds $name', async ({ breaks, ...bug }) => {
  await using planted = await plant(bug);
  const found: string[] = [];

  for (let count = 0; count < mostWorkloads && found.length === 0; count++) {
    await using gateways = await bootTwoGateways(inject('serverUrl'), planted.main);
    const work = { operations: 4_000, services: 4, seed: seed + count };
    const calls = await runWorkload({ urls: gateways.urls, clients, ...work });
    const faults = await checkHistory(gateways.connectionString, calls);
    found.push(...faults.filter((fault) => fault.startsWith(`${breaks}:`)));
  }

  expect(found).not.toEqual([]);
}, 900_000);
