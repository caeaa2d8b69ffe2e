import fc, { type Arbitrary } from 'fast-check';

const nested = (depth: number, open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Texts that have broken some program: as names, as paths, as values. */
const STRINGS: readonly string[] = [
  ...['', ' ', '\0', 'a\0b', '\r\nX: y', '\t', '\u2028', '\ufeff', '\ud800', '\udfff\ud800', '💥', 'ﷺ', 'a\u0300', '\u202e'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', '[object Object]'],
  ...[
    '0',
    '-1',
    '1e400',
    '9007199254740993',
    '0x10',
    '٣',
    "' OR 1=1 --",
    '"; DROP TABLE tasks; --',
    '%',
    '%s%n',
    '%00',
    '%2e%2e',
  ],
  ...[
    '../../etc/passwd',
    '//evil',
    '/\\evil',
    '/@evil',
    '/a#b',
    '${7*7}',
    '{{7*7}}',
    '<script>',
    'x'.repeat(256),
    'é'.repeat(3000),
  ],
  ...[
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '+275760-09-13T00:00:00.001Z',
    '1969-12-31',
    '2026-01-01T00:00:00+99:99',
  ],
];

export const hostileString = (): Arbitrary<string> =>
  fc.oneof(fc.constantFrom(...STRINGS), fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 20 }));

/** JSON that JSON.stringify would never write. */
const JSON_TEXTS: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '0.5', '1e400', '-1e400', '1e-400', '9007199254740993', '1'.repeat(400)],
  ...[
    '2147483648',
    '4294967296',
    '9223372036854775808',
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udfff"',
  ],
  ...['{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', '{"a":1,"a":2}', '{"":""}', '{"__proto__":null}'],
  ...['{"toString":1,"valueOf":2,"toJSON":3}', '{"length":1e9}', '{"then":1}', '["x",1,null,{"a":[]}]'],
  ...[nested(64, '[', ']'), nested(65, '[', ']'), nested(5000, '{"a":', '}'), `"${'x'.repeat(3000)}"`, `"${'é'.repeat(30_000)}"`],
  `[${'0,'.repeat(9000)}0]`,
  `{${Array.from({ length: 10_001 }, (_, index) => `"k${index}":0`).join(',')}}`,
];

/** What stands where a JSON value should; a few are none. */
export const hostileJson = (): Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...JSON_TEXTS) },
    { weight: 2, arbitrary: hostileString().map((text) => JSON.stringify(text)) },
    { weight: 2, arbitrary: fc.json({ maxDepth: 4 }) },
    { weight: 1, arbitrary: fc.double().map((number) => String(number)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('NaN', 'Infinity', "'x'", '"\0"', '"\n"', '01', '1.', '.5', '{a:1}', '[1,]', '/**/1', '"'),
    },
  );

/** A text as it may stand in a URL, well escaped or not. */
export const urlText = (): Arbitrary<string> =>
  fc.oneof(
    hostileString().map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'))),
    fc.constantFrom(...['%', '%0', '%00', '%ff%fe', '%c0%ae', '%2e%2e', '%2f', '..', '.', ';x', '+', "'", '"<>', '|', '[', ']']),
    fc.string({ maxLength: 12 }).map((text) => text.replace(/[^\x21-\x7e]|[?#/]/g, 'x')),
    fc.constantFrom('x'.repeat(3073), '%41'.repeat(1025)),
  );
