import { describe, expect, it } from '@jest/globals';
import { Durations, KEPT_DURATIONS } from './durations.js';

function durations(...values: number[]): Durations {
  const kept = new Durations();
  for (const ms of values) kept.add(ms);
  return kept;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('Durations', () => {
  it('are 0 when there are none (seed: percentile_empty_list)', () => {
    expect([durations().percentiles(50, 95, 99), durations().average, durations().count]).toEqual([[0, 0, 0], 0, 0]);
  });

  it('are that of the only one (seed: percentile_single_value)', () => {
    expect([durations(42).percentiles(0, 50, 95, 99, 100), durations(42).average]).toEqual([[42, 42, 42, 42, 42], 42]);
  });

  it('take sorted[min(floor(n·p/100), n-1)] (seed: percentile_calculation)', () => {
    expect(durations(500, 100, 400, 200, 300).percentiles(50, 95, 99)).toEqual([300, 500, 500]);
  });

  it.each([
    [1, 0],
    [2, 1],
    [19, 18],
    [20, 19],
    [21, 19],
    [100, 95],
    [10_000, 9500],
  ])('take index %#: of %i values the one at %i', (n, index) => {
    expect(durations(...upTo(n)).percentiles(95)).toEqual([upTo(n)[index]]);
  });

  it('sort by number, not by text', () => {
    expect(durations(9, 10, 100, 1000).percentiles(0, 25, 50, 75)).toEqual([9, 10, 100, 1000]);
  });

  it('average (seed: avg_response_time_calculation)', () => {
    expect(durations(100, 200, 150).average).toBe(150);
  });

  it('keep the last 10,000 of 12,000 (seed: response_times_limited_to_10000)', () => {
    const kept = durations(...upTo(12_000));
    expect([KEPT_DURATIONS, kept.count, kept.percentiles(0, 100)]).toEqual([10_000, 10_000, [2001, 12_000]]);
    expect(kept.average).toBe(7000.5);
  });

  it('do not change by being looked at (seed: response_times_tracked)', () => {
    const kept = durations(3, 1, 2);
    kept.percentiles(50);
    kept.add(4);
    expect([kept.count, kept.percentiles(0, 50, 99)]).toEqual([4, [1, 3, 4]]);
  });
});
