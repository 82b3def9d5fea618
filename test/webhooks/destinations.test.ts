import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { Destinations, type Resolve } from '../../src/outbound/destinations.js';
import { readInternalHosts } from '../../src/outbound/internal-hosts.js';
import { Poster } from '../../src/outbound/poster.js';
import { accept, answer, startReceiver } from './receivers.js';

function destinations(allowed: string[] = [], resolve?: Resolve): Destinations {
  const hosts = readInternalHosts(allowed);
  if (!hosts) throw new Error(`no hosts: ${allowed}`);
  return new Destinations(hosts, resolve);
}

function refusal(url: unknown, allowed: string[] = []): string | undefined {
  const checked = destinations(allowed).url(url);
  return checked.ok ? undefined : checked.fault.message;
}

const internal = /^must not be an internal host, unless WEBHOOK_INTERNAL_HOSTS names it$/;

test.each([
  ['https://crm.example.com/hook?a=b', 'https://crm.example.com/hook?a=b'],
  ['HTTPS://CRM.Example.com:443', 'https://crm.example.com/'],
  ['https://crm.example.com:8443/hook', 'https://crm.example.com:8443/hook'],
  ['https://8.8.8.8/hook', 'https://8.8.8.8/hook'],
  ['https://[2606:4700::1111]/hook', 'https://[2606:4700::1111]/hook'],
])('%s may be sent to', (given, stored) => {
  expect(destinations().url(given)).toEqual({ ok: true, value: stored });
});

test.each([
  ...['127.0.0.1', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '127.0.0.1.', '0.0.0.0', '0', '10.1.2.3'],
  ...['172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.100.100.200'],
  ...['198.18.0.1', '192.0.0.192', '168.63.129.16', '224.0.0.1', '255.255.255.255', '①②⑦.0.0.1'],
  ...[
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:10.0.0.1]',
    '[::127.0.0.1]',
    '[fe80::1]',
    '[fd00:ec2::254]',
  ],
  ...[
    '[fec0::1]',
    '[ff02::1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[2001::1]',
    '[2001:db8::1]',
    '[100::1]',
  ],
  ...['localhost', 'LOCALHOST.', 'a.localhost'],
])('a host that is internal is refused, however it is written: %s', (host) => {
  expect(refusal(`https://${host}/`)).toMatch(internal);
});

test.each([
  ['http://crm.example.com/', /^must begin with https/],
  ['ftp://crm.example.com/', /^must begin with https/],
  ['javascript:alert(1)', /^must begin with https/],
  ['https://anna:secret@crm.example.com/', /^must not hold a user or a password$/],
  ['https://crm.example.com/#part', /^must not have a fragment$/],
  ['https://crm.example.com:25/', /^must have port 443, or one from 1024$/],
  ['https://crm.example.com:80/', /^must have port 443, or one from 1024$/],
  ['crm.example.com', /^must be a URL like/],
  ['', /^must not be empty$/],
  [`https://crm.example.com/${'x'.repeat(2048)}`, /^must have at most 2048 characters/],
  [7, /^must be a string$/],
])('%.40s is refused, with the rule', (url, rule) => {
  expect(refusal(url)).toMatch(rule);
});

test('hosts and networks that the settings name may be internal, by http and at any port', () => {
  const allowed = ['crm.internal', '10.20.0.0/16', '::1', '192.168.7.7'];

  for (const host of [
    'crm.internal',
    'CRM.internal.',
    '10.20.3.4',
    '[::1]',
    '192.168.7.7',
    '[::ffff:10.20.3.4]',
  ]) {
    expect(refusal(`http://${host}:80/`, allowed), host).toBeUndefined();
  }
  for (const host of ['sub.crm.internal', '10.21.0.1', '192.168.7.8', '127.0.0.1']) {
    expect(refusal(`http://${host}/`, allowed), host).toMatch(/^must begin with https/);
  }
  for (const wrong of ['10.20.0.0/33', 'a b', '10.20', '-a', 'http://a']) {
    expect(readInternalHosts([wrong]), wrong).toBeUndefined();
  }
});

const letter = (port: number, host: string) => ({
  ...{ url: `http://${host}:${port}/hook`, headers: { 'webhook-id': '1' }, body: '{}' },
});

function resolving(...answers: string[][]): Resolve {
  let asked = 0;
  return async () => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
    return addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
}

const forbidden = {
  state: 'failed',
  reason: 'its host is internal, and WEBHOOK_INTERNAL_HOSTS does not name it',
};

test('a name that comes to mean another address is not followed there', async () => {
  await using receiver = await startReceiver();
  const resolve = resolving(
    ['127.0.0.1'],
    ['127.0.0.2'],
    ['::1', '::ffff:127.0.0.2'],
    ['169.254.169.254', '127.0.0.1'],
  );
  const reply = async () => {
    // A connection that is kept is to the address that was looked at.
    using poster = new Poster({ destinations: own, timeoutSeconds: 5 });
    return await poster.post(letter(receiver.port, 'rebound.example.com'));
  };
  const own = destinations(['127.0.0.1'], resolve);

  const replies = [await reply(), await reply(), await reply(), await reply()];

  expect(replies).toEqual([
    { state: 'answered', status: 200, retryAfter: undefined },
    ...[forbidden, forbidden],
    // Of several addresses the one that is allowed.
    { state: 'answered', status: 200, retryAfter: undefined },
  ]);
  expect(receiver.received).toHaveLength(2);
});

test('an address that is not looked up at all is looked at all the same', async () => {
  await using receiver = await startReceiver();
  using poster = new Poster({ destinations: destinations(), timeoutSeconds: 5 });

  for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1']) {
    expect(await poster.post(letter(receiver.port, host))).toEqual(forbidden);
  }
  expect(receiver.connections()).toBe(0);
});

test('a redirect is an answer, and is not followed', async () => {
  await using receiver = await startReceiver();
  await using inside = await startReceiver();
  using poster = new Poster({ destinations: destinations(['127.0.0.1']), timeoutSeconds: 5 });

  for (const status of [301, 302, 303, 307, 308]) {
    receiver.behave(answer(status, { location: inside.url }));
    const reply = await poster.post(letter(receiver.port, '127.0.0.1'));
    expect(reply).toMatchObject({ state: 'answered', status });
  }
  expect(inside.connections()).toBe(0);
});

test('what is no whole answer has failed, and says how', async () => {
  await using receiver = await startReceiver();
  using impatient = new Poster({ destinations: destinations(['127.0.0.1']), timeoutSeconds: 1 });
  using patient = new Poster({ destinations: destinations(['127.0.0.1']), timeoutSeconds: 5 });
  const reply = (poster = patient) => poster.post(letter(receiver.port, '127.0.0.1'));

  receiver.behave(() => {});
  const silent = await reply(impatient);
  receiver.behave((response) => response.writeHead(200, { 'content-length': 100 }).write('half'));
  const slow = await reply(impatient);
  receiver.behave((response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
  });
  const cut = await reply();
  receiver.behave((response) => response.destroy());
  const closed = await reply();
  receiver.behave((response) => {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
  });
  const other = await reply();
  const refused = await patient.post(letter(1, '127.0.0.1'));

  const failed = (reason: string) => ({ state: 'failed', reason });
  expect([silent, slow, cut, closed, other, refused]).toEqual([
    ...[failed('no whole answer within 1 s'), failed('no whole answer within 1 s')],
    failed('the connection broke before the answer was whole'),
    failed('the connection broke before the answer was whole'),
    failed('the connection broke before the answer was whole'),
    failed('the connection was refused'),
  ]);
});

test('an answer that has no end is not waited for', async () => {
  await using receiver = await startReceiver();
  using poster = new Poster({ destinations: destinations(['127.0.0.1']), timeoutSeconds: 20 });
  receiver.behave((response) => {
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', write).writeHead(200);
    write();
  });

  expect(await poster.post(letter(receiver.port, '127.0.0.1'))).toMatchObject({ status: 200 });
});

test('connections are kept, and one that the receiver has closed meanwhile is no failure', async () => {
  await using receiver = await startReceiver();
  using poster = new Poster({ destinations: destinations(['127.0.0.1']), timeoutSeconds: 5 });
  const reply = () => poster.post(letter(receiver.port, '127.0.0.1'));

  await reply();
  await reply();
  const kept = receiver.connections();
  let isFirst = true;
  receiver.behave((response, received) => {
    if (!isFirst) return accept(response, received);
    isFirst = false;
    return response.socket?.resetAndDestroy();
  });
  const replied = await reply();

  expect(kept).toBe(1);
  expect(replied).toMatchObject({ state: 'answered', status: 200 });
  expect(receiver.connections()).toBe(2);
});
