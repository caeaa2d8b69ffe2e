import { describe, expect, it } from '@jest/globals';
import { instantMs, isoMs } from './instant.js';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('an instant', () => {
  const written: [string, number][] = [
    ['2026-01-02T03:04:05Z', AT],
    ['2026-01-02T03:04:05.25Z', AT + 250],
    ['2026-01-02T03:04:05.123456Z', AT + 123],
    ['2026-01-02T03:04Z', AT - 5000],
    ['2026-01-02T05:04:05+02:00', AT],
    ['2026-01-01T19:34:05-0730', AT],
    ['2026-01-02T03:04:05', AT],
    ['2026-01-02T03:04', AT - 5000],
    ['2026-01-02', Date.UTC(2026, 0, 2)],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
  ];

  it.each(written)('%s in ISO 8601, UTC when no zone is named', (text, ms) => {
    expect([isoMs(text), instantMs(text)]).toEqual([ms, ms]);
  });

  it.each<[unknown, number]>([
    [0, 0],
    ['0', 0],
    [1_764_000_000, 1_764_000_000_000],
    ['1764000000', 1_764_000_000_000],
    ['1764000000.123', 1_764_000_000_123],
    [1_764_000_000.123, 1_764_000_000_123],
    ['1764000000.0004', 1_764_000_000_000.4],
  ])('%j in epoch seconds', (value, ms) => {
    expect(instantMs(value)).toBe(ms);
    expect(isoMs(value)).toBeNull();
  });

  it.each([
    ...['', ' ', 'now', '-1', '+1', '1e9', '1.', '.5', '0x10', 'NaN', '9999999999999', '2026-13-01', '2026-01-32', '2026-1-2'],
    ...['2026-01-02T25:00:00Z', '2026-01-02T03:60Z', '2026-01-02 03:04:05Z', '2026-01-02T03:04:05z', '01/02/2026'],
    ...['2026-01-02T03:04:05Z ', '2026-01-02T03:04:05Z\n', '+002026-01-02', '2026-W01', 'Fri, 02 Jan 2026 03:04:05 GMT'],
    ...[-1, NaN, Infinity, 1e21, null, undefined, true, {}, [], [AT]],
  ])('is not %j', (value) => {
    expect([instantMs(value), isoMs(value)]).toEqual([null, null]);
  });
});
