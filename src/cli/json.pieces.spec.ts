import { describe, expect, it } from '@jest/globals';
import { indented, memberText } from './json.pieces.js';

const MIB = 2 ** 20;
const DEEP = 100_000;

describe('indented', () => {
  it.each([
    [
      '{"a":[1.50,{"b":"x, \\"y\\": [z]"}],"c":{},"d":[ ]}',
      '{\n  "a": [\n    1.50,\n    {\n      "b": "x, \\"y\\": [z]"\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    ],
    [' [ 9007199254740993 , null,\n"\\\\" ] ', '[\n  9007199254740993,\n  null,\n  "\\\\"\n]'],
    ['"a text"', '"a text"'],
    ['-1.5e+10', '-1.5e+10'],
    ['{}', '{}'],
  ])('%s', (text, expected) => {
    expect(indented(text)).toBe(expected);
  });

  it('makes no more of a body that is nested as deep as it is long than a multiple of it', () => {
    const text = '['.repeat(DEEP) + ']'.repeat(DEEP);
    const lines = indented(text).split('\n');
    expect(lines.map((line) => line.trim()).join('')).toBe(text);
    expect(lines.reduce((longest, { length }) => Math.max(longest, length), 0)).toBeLessThan(40);
  });

  it('leaves what nobody reads as it is', () => {
    const text = `[${'1,'.repeat(3 * MIB)}1]`;
    expect(indented(text)).toBe(text);
  });
});

describe('memberText', () => {
  it.each([
    ['{"a":{"wanted":0},"b":"wanted","wanted": 1.50 ,"c":1}', '1.50'],
    ['{"b":["wanted"],"wanted":{"wanted":[1,"}"]}}', '{"wanted":[1,"}"]}'],
    ['{"a":"\\"wanted\\":2","wanted":"\\\\"}', '"\\\\"'],
    ['{"a":1}', undefined],
    ['{}', undefined],
  ])('%s', (text, expected) => {
    expect(memberText(text, 'wanted')).toBe(expected);
  });

  it.each([
    ['a string of 20 MiB', `"${'x'.repeat(20 * MIB)}"`],
    ['a string of 20 MiB of escapes', `"${'\\"'.repeat(10 * MIB)}"`],
    ['what is nested very deep', '['.repeat(DEEP) + ']'.repeat(DEEP)],
  ])('finds %s', (_name, body) => {
    expect(memberText(`{"a":1,"wanted":${body},"z":2}`, 'wanted') === body).toBe(true);
  });
});
