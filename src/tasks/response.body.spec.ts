import { describe, expect, it } from '@jest/globals';
import { responseJson } from './response.body.js';

const json = (body: string | Buffer): string => responseJson(Buffer.from(body as string));

describe('responseJson', () => {
  it.each([
    '{"a":1}',
    '[1,"two",null]',
    '17',
    '-0',
    '"text"',
    'true',
    'false',
    'null',
    ' { "spaced" : 1.0 }\n',
    '9007199254740993',
    '1e400',
  ])('hands JSON on as it was written: %s', (text) => {
    expect(json(text)).toBe(text);
  });

  it.each(['plain words', '{"a":', '<html></html>', "{'a':1}", 'NaN', '1 2', ' ', 'undefined'])(
    'makes a string of what is not JSON: %s',
    (text) => {
      expect(json(text)).toBe(JSON.stringify(text));
    },
  );

  it('gives null for an empty body', () => {
    expect(json('')).toBe('null');
  });

  it('drops a byte order mark', () => {
    expect([json('\uFEFF{"a":1}'), json('\uFEFFwords'), json('\uFEFF')]).toEqual(['{"a":1}', '"words"', 'null']);
  });

  it('writes U+FFFD for what is not UTF-8', () => {
    expect(JSON.parse(json(Buffer.from([0x61, 0xff, 0x62])))).toBe('a\uFFFDb');
  });

  it('makes text with quotes, line ends and NUL printable', () => {
    expect(JSON.parse(json('a"b\\c\n\u0000'))).toBe('a"b\\c\n\u0000');
  });

  it('takes 100,000 nested arrays without falling over', () => {
    const text = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(() => JSON.parse(`{"body":${json(text)}}`) as unknown).not.toThrow();
  });
});
