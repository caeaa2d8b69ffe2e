import { describe, expect, it } from '@jest/globals';
import { EventParser } from './event.parser.js';

const STREAM =
  ': hello\n\nid: a-1\nevent: task\ndata: {"n":1}\n\nid: a-2\r\nevent: task\r\ndata: {"n":2}\r\ndata: more\r\n\r\n: alive\n\n';

describe('a stream of events', () => {
  it.each([1, 2, 3, 7, 1000])('comes out the same in pieces of %d characters', (size) => {
    const parser = new EventParser();
    const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    expect(pieces.flatMap((piece) => parser.push(piece))).toEqual([
      { id: 'a-1', event: 'task', data: '{"n":1}' },
      { id: 'a-2', event: 'task', data: '{"n":2}\nmore' },
    ]);
  });

  it('gives nothing of an event that is not whole', () => {
    const parser = new EventParser();
    expect(parser.push('id: 1\ndata: half')).toEqual([]);
    expect(parser.push('\n\n')).toEqual([{ id: '1', event: 'message', data: 'half' }]);
  });
});
