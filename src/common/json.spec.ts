import { describe, expect, it } from '@jest/globals';
import { hasUnusualNumber, isJsonObject, parseExact, stringifyWith, structureFault } from './json.js';

const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth);
const keys = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`;
const fault = (text: string): string | null => structureFault(JSON.parse(text));

const EXACT = [
  ...[
    '9007199254740993',
    '-9007199254740993',
    '123456789012345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
    '1.0',
    '-0',
    '-0.0',
  ],
  ...['0.0', '1E5', '1e5', '1E+5', '1e+21', '0.10', '100.000', '0.1234567890123456789', '5e-324', '1.7976931348623157e309'],
];

describe('numbers that JavaScript cannot keep', () => {
  it.each(EXACT)('%s prints as it was written, wherever it stands', (number) => {
    for (const text of [number, `[${number}]`, `{"a":{"b":[1,${number},"x"]}}`]) {
      expect(hasUnusualNumber(text)).toBe(true);
      expect(JSON.stringify(parseExact(text))).toBe(text);
    }
  });

  it.each(['0', '1', '-1', '42', '123456789012345', '[1,2,3]', '{"a":1}', 'null', '"text"', '[]'])(
    '%s needs no second look',
    (text) => {
      expect(hasUnusualNumber(text)).toBe(false);
      expect(JSON.stringify(parseExact(text))).toBe(text);
    },
  );

  it('numbers that print as written stay numbers', () => {
    expect(parseExact('{"a":1.5,"b":12,"c":9007199254740991}')).toEqual({ a: 1.5, b: 12, c: Number.MAX_SAFE_INTEGER });
  });

  it('the last of two members of one name wins, as in JSON.parse', () => {
    expect(JSON.stringify(parseExact('{"a":1.0,"a":2.0}'))).toBe('{"a":2.0}');
    expect(JSON.stringify(parseExact('{"a":[1.0],"a":2}'))).toBe('{"a":2}');
  });

  it('texts that look like numbers stay texts', () => {
    expect(JSON.stringify(parseExact('{"1.0":"1e400"}'))).toBe('{"1.0":"1e400"}');
  });

  it.each(['', '{', '01', '1.', '.5', '+1', 'NaN', 'Infinity', "{'a':1}", '[1,]', '"\n"'])('%j is no JSON', (text) => {
    expect(() => parseExact(text)).toThrow(SyntaxError);
  });

  it('a kept number is no JSON object', () => {
    expect(isJsonObject(parseExact('1.0'))).toBe(false);
    expect([{}, { a: 1 }, [], null, 1, 'x', undefined].map(isJsonObject)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('structureFault', () => {
  it.each([
    ['64 arrays', nested(64), null],
    ['65 arrays', nested(65), 'is nested over 64 levels'],
    ['64 objects', `${'{"a":'.repeat(63)}{}${'}'.repeat(63)}`, null],
    ['65 objects', `${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`, 'is nested over 64 levels'],
    ['65 levels behind much that is shallow', `[${'[],'.repeat(1000)}${nested(64)}]`, 'is nested over 64 levels'],
    ['10,000 keys', keys(10_000), null],
    ['10,001 keys', keys(10_001), 'has over 10000 keys'],
    ['10,001 keys in many objects', `[${'{"a":0},'.repeat(10_000)}{"a":0}]`, 'has over 10000 keys'],
    ['10,000 keys in many objects', `[${'{"a":0},'.repeat(9999)}{"a":0}]`, null],
    ['a long list', `[${'0,'.repeat(100_000)}0]`, null],
  ])('%s', (_name, text, expected) => {
    expect(fault(text)).toBe(expected);
  });

  it('100,000 levels do not overflow the stack', () => {
    expect(fault(nested(100_000))).toBe('is nested over 64 levels');
    expect(fault(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toBe('is nested over 64 levels');
  });

  it.each([
    '{"__proto__":1}',
    '{"__proto__":{"admin":true}}',
    '{"a":[{"b":{"__proto__":null}}]}',
    '{"\\u005f_proto__":1}',
    '{"constructor":{"prototype":{}}}',
    '{"constructor":{"prototype":null}}',
    '[[{"constructor":{"a":1,"prototype":1}}]]',
  ])('a key that reaches for a prototype is refused: %s', (text) => {
    expect(fault(text)).toBe('has a key that is not allowed');
  });

  it.each([
    '{"constructor":"Acme"}',
    '{"constructor":{"name":"Acme"}}',
    '{"prototype":{}}',
    '{"constructor":null}',
    '{"constructor":["prototype"]}',
    '{"a":"__proto__"}',
    '["__proto__"]',
    '{"hasOwnProperty":1,"toString":2}',
    '{"proto":1,"__proto":2}',
  ])('a word that only looks like one is not: %s', (text) => {
    expect(fault(text)).toBeNull();
  });

  it.each(['null', '1', '"x"', 'true', '[]', '{}'])('%s has no structure to refuse', (text) => {
    expect(fault(text)).toBeNull();
  });
});

describe('stringifyWith', () => {
  it.each([
    [{}, {}, '{}'],
    [{ a: 1 }, {}, '{"a":1}'],
    [{}, { b: '1.0' }, '{"b":1.0}'],
    [{ a: null }, { b: '[1e400]', 'c"': 'null' }, '{"a":null,"b":[1e400],"c\\"":null}'],
    [{ a: undefined }, { b: '2' }, '{"b":2}'],
  ])('%j with %j', (members, raw, text) => {
    expect(stringifyWith(members, raw)).toBe(text);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});
