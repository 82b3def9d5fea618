import { METHODS } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import type { Estate } from '../auth/operations.js';
import { hostileText } from './values.js';

/** A request as it is sent. */
export type Wire = {
  /** Of the operation that it was made from. */
  name: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
};

/** A request of what there is when it is sent. */
export type Plan = (estate: Estate) => Wire;

/** Names that stand for those of the estate, in whatever is sent. */
export function fillIn(text: string, { serviceId, schemaName, recordsName, customerId }: Estate): string {
  return text
    .replaceAll('ESTATE_SERVICE', serviceId)
    .replaceAll('ESTATE_SCHEMA', schemaName)
    .replaceAll('ESTATE_RECORDS', recordsName)
    .replaceAll('ESTATE_CUSTOMER', customerId);
}

/** Those that the parser of HTTP knows, but for the one that asks for a tunnel. */
export const anyMethod: Arbitrary<string> = fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT'));

const tags = ['*', '"1"', '"2"', 'W/"1"', '"0"', '"99999999999"', '1', '""', '"1","2"', '"a', ',', '"-1"'];
const types = [
  ...[
    'application/json',
    'APPLICATION/JSON ; charset=utf-16',
    'application/problem+json',
    'application/graphql',
  ],
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
  ],
  ...[
    'application/json, text/html',
    '/',
    ';',
    'application/',
    `application/json${';a=b'.repeat(500)}`,
    'json',
  ],
];
const percent = [
  '',
  '%',
  '%00',
  '%ff',
  '%C3%A9',
  '%ED%A0%80',
  'é',
  'x'.repeat(65),
  'x'.repeat(257),
  'x'.repeat(5_000),
];
const headerValues: Readonly<Record<string, readonly string[]>> = {
  accept: [
    ...[
      '',
      '*/*',
      'application/problem+json',
      'application/graphql-response+json',
      'text/event-stream',
      'text/html',
    ],
    ...[
      'multipart/mixed',
      'image/png',
      'application/json;q=x',
      ';;;',
      ','.repeat(1_000),
      'application/json;q=0',
      '/',
    ],
  ],
  'content-type': types,
  'if-match': tags,
  'if-none-match': tags,
  'idempotency-key': ['', ' ', 'same', 'k'.repeat(255), 'k'.repeat(256), 'é', '\x01', '__proto__'],
  prefer: [
    'return=representation',
    'return=minimal',
    'return',
    'respond-async, wait=99999999999999',
    ';',
    '=',
  ],
  groupid: percent,
  contactcenterid: ['nowhere', '', '%00', 'default, default', '__proto__', 'constructor', 'default'],
  'x-reason': percent,
  'x-actor': percent,
  authorization: [
    ...[
      '',
      'Bearer',
      'Bearer ',
      'Bearer x',
      'Bearer a.b.c',
      'Bearer eyJhbGciOiJub25lIn0.e30.',
      'Bearer ..',
      'bearer\tx',
    ],
    ...['Basic', 'Basic !!!!', 'Basic Og==', `Basic ${'QUFB'.repeat(2_000)}`, 'Digest x', 'x'.repeat(9_000)],
    ...[
      `Bearer cgw_${'0'.repeat(16)}_${'x'.repeat(43)}`,
      `Bearer cgw_${'x'.repeat(5_000)}`,
      'Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA',
    ],
  ],
  range: ['bytes=0-0', 'bytes=-', 'x'],
  expect: ['100-continue', 'x'],
  'transfer-encoding': ['chunked', 'gzip', 'identity, chunked', 'x'],
  'content-length': ['0', '1', '-1', '1e3', '99999999999999999999', 'x'],
  'content-encoding': ['gzip', 'br', 'identity', 'x'],
  'accept-encoding': ['gzip', '*;q=0', 'gzip;q=x', 'br, gzip'],
  host: ['', 'evil.example', '[::1', 'localhost:99999', 'é', 'a b', 'localhost:80, evil.example'],
  origin: ['null', 'https://evil.example', 'http://[', 'http://localhost:80', ''],
  'sec-fetch-site': ['cross-site', 'same-site', 'none', 'x'],
  'x-request-id': ['a b', 'x'.repeat(129), '', '\x00', 'known-1'],
  'x-http-method-override': ['DELETE'],
  cookie: [';;;', '__proto__=1'],
  upgrade: ['websocket', 'h2c'],
  'last-event-id': ['x'],
};

const anyHeader = fc
  .constantFrom(...Object.entries(headerValues))
  .chain(([name, values]) =>
    fc
      .oneof({ weight: 9, arbitrary: fc.constantFrom(...values) }, latin1)
      .map((value) => [name, value] as const),
  );

/** What a header's line can carry. */
const latin1 = hostileText.map((text) => text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, '?'));

export const anyHeaders: Arbitrary<Record<string, string>> = fc
  .oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(anyHeader, { minLength: 1, maxLength: 3 }) },
  )
  .map((headers) => Object.fromEntries(headers));

/** A body as it arrives, with what its bytes ask for in headers. */
export type Sent = { body: Buffer | undefined; headers?: Record<string, string> };

/** What becomes of the bytes of a body on its way. */
export const byteAct: Arbitrary<(text: string) => Sent> = fc.oneof(
  fc.nat(200).map((end) => (text: string) => ({ body: Buffer.from(text.slice(0, end)) })),
  fc.constantFrom('ff', 'c0af', 'eda080', 'f4908080', 'e282', '00').map((hex) => (text: string) => {
    const middle = text.length / 2;
    return {
      body: Buffer.concat([
        Buffer.from(text.slice(0, middle)),
        Buffer.from(hex, 'hex'),
        Buffer.from(text.slice(middle)),
      ]),
    };
  }),
  fc
    .constantFrom('\ufeff', '\ufeff\ufeff', ')]}\n', '[', ' \n')
    .map((start) => (text: string) => ({ body: Buffer.from(start + text) })),
  fc
    .constantFrom('}', ' ', '\0', '{}', ',', '//')
    .map((end) => (text: string) => ({ body: Buffer.from(text + end) })),
  fc.constant((text: string) => ({ body: Buffer.from(text, 'utf16le') })),
  fc.constantFrom('gzip', undefined).map((encoding) => (text: string) => ({
    body: gzipSync(text),
    ...(encoding ? { headers: { 'content-encoding': encoding } } : {}),
  })),
  fc
    .constantFrom(...types)
    .map((type) => (text: string) => ({ body: Buffer.from(text), headers: { 'content-type': type } })),
  fc.constant((text: string) => ({
    body: Buffer.from(`query=${encodeURIComponent(text)}`),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })),
  fc.constant((text: string) => ({
    body: Buffer.from(`--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${text}\r\n--x--\r\n`),
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  })),
  fc.constant((text: string) => ({ body: Buffer.from(text + ' '.repeat(1024 * 1024)) })),
);
