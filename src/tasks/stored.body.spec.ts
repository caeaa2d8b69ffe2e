import { describe, expect, it } from '@jest/globals';
import { storedBody } from './stored.body.js';

/** A JSON text of exactly so many bytes. */
const textOf = (bytes: number, letter = 'x'): string => JSON.stringify(letter.repeat((bytes - 2) / Buffer.byteLength(letter)));

describe('storedBody', () => {
  it.each(['null', '{"a":1.0}', textOf(10_239), textOf(10_240), textOf(10_240, 'é')])(
    'keeps up to 10 KiB as they are',
    (text) => {
      expect(storedBody(text)).toBe(text);
    },
  );

  it.each([
    [textOf(10_241), 10],
    [textOf(10_242, 'é'), 10],
    [textOf(30_720), 30],
    [textOf(15_554), 15.19],
    [textOf(10_485_760), 10_240],
  ])('notes the size of what is larger', (text, kib) => {
    const note = JSON.parse(storedBody(text)) as Record<string, unknown>;
    expect(Object.keys(note)).toEqual(['_truncated', '_original_size_kb', '_max_size_kb', '_message']);
    expect(note).toMatchObject({ _truncated: true, _original_size_kb: kib, _max_size_kb: 10 });
    expect(note._message).toContain(String(Buffer.byteLength(text)));
  });
});
