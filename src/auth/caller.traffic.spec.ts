import { describe, expect, it, jest } from '@jest/globals';
import { RateLimitedError } from '../common/errors.js';
import { UNLIMITED, type CallerLimits, type KnownCaller } from './authenticator.js';
import { CallerTraffic } from './caller.traffic.js';

const caller = (limits: Partial<CallerLimits> = {}, name = 'ann'): KnownCaller => ({
  identity: { name, scopes: [], droplets: null, isAdmin: false },
  limits: { ...UNLIMITED, ...limits },
  expiresAt: Infinity,
});

/** How many of so many requests at once are let in. */
async function letIn(traffic: CallerTraffic, who: KnownCaller, count: number): Promise<number> {
  const asked = Array.from({ length: count }, () => traffic.enter(who));
  return (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled').length;
}

describe('the limits of a caller', () => {
  it('are none unless its key has some', async () => {
    expect(await letIn(new CallerTraffic(), caller(), 1000)).toBe(1000);
  });

  it.each([
    [1, 1],
    [5, 5],
    [2.9, 3],
    [1.9, 2],
    [0.01, 1],
  ])('%d a second lets %d in at once', async (ratePerSecond, most) => {
    expect(await letIn(new CallerTraffic(), caller({ ratePerSecond }), 20)).toBe(most);
  });

  it('of a fraction hold over a longer while: 1.9 a second are 2 in 1.06 s', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const traffic = new CallerTraffic();
      let count = 0;
      for (let passed = 0; passed < 100_000; passed += 100) {
        count += await letIn(traffic, caller({ ratePerSecond: 1.9 }), 5);
        jest.advanceTimersByTime(100);
      }
      expect(count / 100).toBeGreaterThan(1.7);
      expect(count / 100).toBeLessThanOrEqual(1.92);
    } finally {
      jest.useRealTimers();
    }
  });

  it('say when to come back', async () => {
    const traffic = new CallerTraffic();
    const who = caller({ ratePerSecond: 0.01 });
    await traffic.enter(who);
    const refused = await traffic.enter(who).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitedError);
    expect((refused as RateLimitedError).retryAfterSeconds).toBeGreaterThan(90);
    expect((refused as RateLimitedError).retryAfterSeconds).toBeLessThanOrEqual(100);
  });

  it('are one caller’s, whichever of its keys it shows, and no other’s', async () => {
    const traffic = new CallerTraffic();
    expect(await letIn(traffic, caller({ ratePerSecond: 0.01 }), 2)).toBe(1);
    expect(await letIn(traffic, caller({ ratePerSecond: 0.01 }), 2)).toBe(0);
    expect(await letIn(traffic, caller({ ratePerSecond: 0.01 }, 'bob'), 2)).toBe(1);
  });

  it('of requests at once: each place is given back', async () => {
    const traffic = new CallerTraffic();
    const who = caller({ concurrency: 2 });
    const [first] = await Promise.all([traffic.enter(who), traffic.enter(who)]);
    await expect(traffic.enter(who)).rejects.toThrow(RateLimitedError);
    expect(await letIn(traffic, caller({ concurrency: 2 }, 'bob'), 3)).toBe(2);
    first();
    expect(await letIn(traffic, who, 3)).toBe(1);
  });
});
