import { describe, expect, it } from '@jest/globals';
import { areasOf, linesOf } from './step.paths.js';

const sample = (at: number, queued: number, p95_ms: number | null = null) => ({
  ...{ at, seconds: 10, success: 0, error: 0, timeout: 0, cancelled: 0, retries: 0, queued, in_flight: 0, waiting: 0 },
  ...{ p50_ms: null, p95_ms, p99_ms: null },
});
const scales = { x: (at: number) => at, y: (value: number) => value };

describe('the path over the steps', () => {
  it('is one line from the beginning of the first step to the end of the last', () => {
    expect(linesOf([sample(10, 1), sample(20, 2)], ({ queued }) => queued, scales)).toBe('M0 1L10 1L20 2');
  });

  it('shows a lone value over its step, and nothing where there is none', () => {
    const steps = [sample(10, 0), sample(20, 0, 7), sample(30, 0), sample(40, 0, 8), sample(50, 0, 9)];
    expect(linesOf(steps, ({ p95_ms }) => p95_ms, scales)).toBe('M10 7L20 7M30 8L40 8L50 9');
    expect(linesOf([sample(10, 0)], ({ p95_ms }) => p95_ms, scales)).toBe('');
  });

  it('leaves out time of which there is no step', () => {
    const steps = [sample(10, 3), sample(20, 3), sample(500, 4)];
    expect(linesOf(steps, ({ queued }) => queued, scales)).toBe('M0 3L10 3L20 3M490 4L500 4');
    const area = areasOf(steps, { upper: ({ queued }) => queued, lower: () => 0 }, scales);
    expect(area).toBe('M0 3L10 3L20 3L20 0L10 0L0 0ZM490 4L500 4L500 0L490 0Z');
  });

  it('goes on where a step is a little late', () => {
    expect(linesOf([sample(10, 1), sample(20.4, 2)], ({ queued }) => queued, scales)).toBe('M0 1L10 1L20.4 2');
  });
});
