import { describe, expect, it } from '@jest/globals';
import { mergedSamples, perMinute, recent, spanMinutes } from './samples.js';

const sample = (at: number, more: object = {}) => ({
  ...{ at, seconds: 15, success: 0, error: 0, timeout: 0, cancelled: 0, retries: 0, queued: 0, in_flight: 0, waiting: 0 },
  ...{ p50_ms: null, p95_ms: null, p99_ms: null },
  ...more,
});

describe('the samples of the last hour', () => {
  it('are those that were there and those that have come, each once, none older than an hour', () => {
    const known = [sample(100), sample(115)];
    expect(mergedSamples(known, [sample(115), sample(130)]).map(({ at }) => at)).toEqual([100, 115, 130]);
    expect(mergedSamples(known, [sample(3705)]).map(({ at }) => at)).toEqual([115, 3705]);
  });

  it('give rates by how long they really were', () => {
    expect(perMinute(sample(0, { seconds: 30 }), 10)).toBe(20);
    expect(perMinute(sample(0, { seconds: 0 }), 10)).toBe(0);
  });

  it.each([
    [[], 5],
    [[sample(15)], 5],
    [[sample(15), sample(301)], 10],
    [[sample(15), sample(3600)], 60],
  ])('are shown over as much of the hour as there is: %j', (samples, minutes) => {
    expect(spanMinutes(samples)).toBe(minutes);
  });

  it('sum up the last minute: rate, share of successes, the slowest p95', () => {
    const samples = [
      sample(30, { success: 999 }),
      sample(985, { success: 6, error: 2, p95_ms: 9 }),
      sample(995, { timeout: 1, p95_ms: 4 }),
    ];
    const now = recent(samples, sample(1000, { success: 1, retries: 3, seconds: 10 }));
    expect(now).toEqual({ perMinute: 15, successPercent: 70, retries: 3, p95Ms: 9 });
    expect(recent([], sample(1000))).toEqual({ perMinute: 0, successPercent: null, retries: 0, p95Ms: null });
  });
});
