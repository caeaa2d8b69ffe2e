import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from './backoff.js';

const never = (): number => {
  throw new Error('no chance without jitter');
};

describe('backoff', () => {
  it('waits 1 s, 2 s, and 4 s from then on', () => {
    const backoff = { baseMs: 1000, maxMs: 4000, jitter: 'none' } as const;
    expect([1, 2, 3, 4, 10, 50].map((failures) => backoffMs(backoff, failures, never))).toEqual([
      1000, 2000, 4000, 4000, 4000, 4000,
    ]);
  });

  it('is capped from the first wait when the cap is below the base', () => {
    expect(backoffMs({ baseMs: 1000, maxMs: 10, jitter: 'none' }, 1, never)).toBe(10);
  });

  it('never overflows, however often it failed', () => {
    expect(backoffMs({ baseMs: 1000, maxMs: 4000, jitter: 'none' }, 5000, never)).toBe(4000);
  });

  it('with full jitter waits anything from nothing up to the delay', () => {
    const backoff = { baseMs: 1000, maxMs: 4000, jitter: 'full' } as const;
    expect(backoffMs(backoff, 2, () => 0)).toBe(0);
    expect(backoffMs(backoff, 2, () => 0.5)).toBe(1000);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, chance) => {
          const wait = backoffMs(backoff, failures, () => chance);
          const most = backoffMs({ ...backoff, jitter: 'none' }, failures, never);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});
