import { beforeEach, describe, expect, it } from '@jest/globals';
import { DurationHistogram } from './duration.histogram.js';

const WEEK_MS = 7 * 24 * 3600 * 1000;

describe('the histogram of durations', () => {
  let histogram: DurationHistogram;
  beforeEach(() => {
    histogram = new DurationHistogram();
  });

  it('has no percentile of nothing, also after it was cleared', () => {
    expect(histogram.percentile(95)).toBeNull();
    histogram.add(5);
    histogram.clear();
    expect(histogram.percentile(50)).toBeNull();
  });

  it.each([0, 0.4, 1, 7, 42.5, 999, 61_000, WEEK_MS])('is right to a tenth about %d ms', (ms) => {
    for (let i = 0; i < 100; i++) histogram.add(ms);
    for (const percent of [1, 50, 99]) {
      const found = histogram.percentile(percent) ?? NaN;
      expect(found).toBeLessThanOrEqual(Math.max(1, ms * 1.1));
      expect(found).toBeGreaterThanOrEqual(ms <= 1 ? 0 : ms * 0.9);
    }
  });

  it('tells the slow ones from the many', () => {
    for (let ms = 1; ms <= 1000; ms++) histogram.add(ms);
    for (const [percent, ms] of [
      [50, 500],
      [95, 950],
      [99, 990],
    ] as const) {
      expect(Math.abs((histogram.percentile(percent) ?? NaN) - ms)).toBeLessThan(ms * 0.1);
    }
  });

  it('counts what is longer than any deadline as the longest', () => {
    histogram.add(WEEK_MS * 1000);
    expect(histogram.percentile(50)).toBeGreaterThan(WEEK_MS);
  });
});
