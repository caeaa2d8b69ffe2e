import { describe, expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.js';

const NOW = Date.UTC(2025, 10, 30, 12, 0, 0);
const inThreeSeconds = new Date(NOW + 3000).toUTCString();

describe('Retry-After', () => {
  it.each([
    ['seconds', '2', 2000],
    ['no wait', '0', 0],
    ['with blanks', ' 2 ', 2000],
    ['a very long time', '1000000000', 1e12],
    ['a date', inThreeSeconds, 3000],
    ['a date in the past', new Date(NOW - 3000).toUTCString(), 0],
    ['the RFC 850 form', 'Sunday, 30-Nov-25 12:00:03 GMT', 3000],
    ['the asctime form, which is GMT', 'Sun Nov 30 12:00:03 2025', 3000],
    ['negative', '-1', 0],
    ['a fraction', '1.5', 0],
    ['an exponent', '1e9', 0],
    ['a word', 'soon', 0],
    ['hexadecimal', '0x10', 0],
    ['empty', '', 0],
    ['an ISO date', '2099-01-01T00:00:00Z', 0],
    ['a weekday and a year', 'Sun 2099', 0],
    ['a weekday and nonsense', 'Sun, 99 Foo 2025 99:99:99 GMT', 0],
    ['two at once', '2, 3', 0],
  ])('%s (%j) asks for %d ms', (_title, header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });

  it('counts as none when it is absent', () => {
    expect(retryAfterMs(undefined, NOW)).toBe(0);
    expect(retryAfterMs([], NOW)).toBe(0);
  });

  it('sent twice counts as it was first', () => {
    expect(retryAfterMs(['2', '900'], NOW)).toBe(2000);
  });

  it('of absurd length is longer than any deadline, never not a number', () => {
    expect(retryAfterMs('9'.repeat(400), NOW)).toBe(Infinity);
  });
});
