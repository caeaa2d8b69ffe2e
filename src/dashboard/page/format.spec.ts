import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';
import { count, duration, percent, plural } from './format.js';

describe('figures as they are read', () => {
  it.each([
    [null, '–'],
    [0, '0 ms'],
    [3.14159, '3.1 ms'],
    [999, '999 ms'],
    [1240, '1.24 s'],
    [59_940, '59.9 s'],
    [125_000, '2 m 5 s'],
    [11_520_000, '3 h 12 m'],
    [200_000_000, '2 d 7 h'],
  ])('%d milliseconds are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('says counts and shares short', () => {
    expect([1234, 12_345, 5_000_000].map(count)).toEqual(['1,234', '12.3K', '5M']);
    expect([null, 100, 99.4, 0, 99.99].map(percent)).toEqual(['–', '100%', '99.4%', '0%', '100%']);
    expect([plural(1, 'task'), plural(0, 'task')]).toEqual(['1 task', '0 tasks']);
  });
});

it('a stream that breaks is tried again after twice as long each time, up to a limit, spread by chance', () => {
  expect([1, 2, 3, 20].map((failures) => backoffMs(failures, 1))).toEqual([500, 1000, 2000, 15_000]);
  expect(backoffMs(1, 0)).toBe(250);
});
