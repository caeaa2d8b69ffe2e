import { describe, expect, it } from '@jest/globals';
import { requestIdOf } from './request-id.js';

const given = (id: string | string[] | undefined) => requestIdOf({ headers: { 'x-request-id': id } });

describe('the id of a request', () => {
  it.each(['a', 'A.b_c-9', 'x'.repeat(128)])("is the caller's own: %s", (id) => {
    expect(given(id)).toBe(id);
  });

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a\n', 'ä', 'a/b', ['a', 'b']])('is made when the given one is %j', (id) => {
    expect(given(id)).toMatch(/^[0-9a-f-]{36}$/);
    expect(given(id)).not.toBe(given(id));
  });
});
