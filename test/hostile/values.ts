import fc, { type Arbitrary } from 'fast-check';

/** Something in so many cases of a hundred, else nothing. */
export function seldom<T>(percent: number, arbitrary: Arbitrary<T>): Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
    { weight: percent, arbitrary },
  );
}

/** Texts that programs trip over; none has a word by which the workings of a program are told. */
export const hostileText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '\t\n', '\0', 'a\0b', '\ud800', 'x\udfff', '\ufeffx', '\u202eabc', '\u2028', '\x7f\x1b[2J'],
    ...[
      '👩‍👩‍👧‍👦',
      'e\u0301',
      'ß',
      'İ',
      '\u{10ffff}',
      'null',
      'true',
      '-0',
      '1e5',
      '1500:0',
      ':',
      '1:',
      '-1:0',
      '1:1e3',
    ],
    ...[
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      '$',
      '*',
      'State.*',
      'Task.',
      ',',
    ],
    ...[
      "' or 1=1 --",
      '"; drop table x; --',
      '$' + '{7*7}',
      '../../etc',
      '%00',
      '%',
      '<b>',
      'a\r\nSet-Cookie: a=b',
    ],
    ...[
      '2026-02-30T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '+275760-09-13T00:00:00.001Z',
      '2026-01-01T00:00:00+99:99',
    ],
    ...[26, 27, 32, 33, 50, 51, 64, 65, 128, 129, 255, 256, 4_097, 33_000].map((length) =>
      'x'.repeat(length),
    ),
    ...[64, 65, 256].map((length) => '😀'.repeat(length / 2)),
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

const numbers = [
  ...[
    '0',
    '-0',
    '-1',
    '1',
    '2',
    '1.5',
    '1.0',
    '-0.0',
    '1e3',
    '1E-400',
    '1e308',
    '1e400',
    '-1e400',
    '0.1',
    '1e15',
  ],
  ...['2147483647', '2147483648', '-2147483649', '9007199254740991', '9007199254740992', '-9007199254740993'],
  ...[
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551616',
    `1${'0'.repeat(400)}`,
    `0.${'1'.repeat(400)}`,
  ],
  ...['253402300800', '8640000000000001', '-62135596800001', '60', '100', '9007199254740993e-3'],
];

const brokenNumbers = [
  'NaN',
  'Infinity',
  '-',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  "'a'",
  '1_000',
  '',
  '"\\x"',
  '"\\ud83d"',
];

const containers = [
  ...[
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '[{}]',
    '{"a":null}',
    '[1,"1",1.0]',
    '{"":1}',
    '{"a":1,"a":1}',
    '{"a":{},"\\u0061":1}',
  ],
  ...[
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"toString":1}',
    '{"a\\u0000":"\\ud800"}',
  ],
  ...[31, 33, 101, 3_000].map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  ...[31, 33, 101].map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  `[${'1,'.repeat(3_000)}1]`,
  `{${Array.from({ length: 300 }, (_, index) => `"k${index}":${index}`).join()}}`,
];

/** What stands where a JSON value stands; one in twenty is none. */
export const hostileJson: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('null', 'true', 'false', ...numbers) },
  { weight: 6, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
  { weight: 6, arbitrary: fc.constantFrom(...containers) },
  { weight: 1, arbitrary: fc.constantFrom(...brokenNumbers) },
);

/** What stands between two slashes, or behind an equals sign, of a URL. */
export const hostileUrlPart: Arbitrary<string> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        '%00',
        '%2F',
        '%2f..%2f',
        '%ff',
        '%',
        '%zz',
        '%E0%A4%A',
        '%ED%A0%80',
        '%F4%90%80%80',
        '%C0%AF',
        '%25',
        '%252F',
      ],
      ...[
        '..',
        '.',
        '%2e%2e',
        '...',
        '',
        '+',
        '%20',
        ';a=b',
        '*',
        ':',
        '@',
        '~',
        '%EF%BB%BF',
        '%E2%80%AE',
        '%F0%9F%98%80',
      ],
      ...[
        '0',
        '-1',
        '1.5',
        '1e3',
        '01',
        '%31',
        '9223372036854775807',
        '9223372036854775808',
        '9'.repeat(100),
        'NaN',
      ],
      ...[
        '[object',
        '__proto__',
        'constructor',
        'a,b',
        ',',
        ',,',
        'true',
        'TRUE',
        'null',
        '1'.repeat(5_000),
        '%41'.repeat(2_000),
      ],
    ),
  },
  { weight: 2, arbitrary: hostileText.map((text) => encodeURIComponent(text.toWellFormed())) },
);
