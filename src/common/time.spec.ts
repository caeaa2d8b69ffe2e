import { describe, expect, it } from '@jest/globals';
import { epochSeconds, iso, twoDecimals } from './time.js';

describe('how times and figures are written', () => {
  it('epoch seconds keep the milliseconds', () => {
    expect(epochSeconds(1_764_000_000_123)).toBe(1_764_000_000.123);
  });

  it('ISO 8601 is UTC with a Z', () => {
    expect(iso(1_764_000_000_123)).toBe('2025-11-24T16:00:00.123Z');
  });

  it.each([
    [66.666_666, 66.67],
    [0, 0],
    [100, 100],
    [0.005, 0.01],
    [33.333_333, 33.33],
    [149.999, 150],
  ])('%d is told as %d', (value, shown) => {
    expect(twoDecimals(value)).toBe(shown);
  });
});
