import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual.clock.js';
import { createLog } from '../../common/log.js';
import { StoreHealth } from './store.health.js';

/** Lets time pass in steps, in each of which a look can come to its end. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('StoreHealth', () => {
  let clock: ManualClock;
  let health: StoreHealth;
  let probe: () => Promise<void>;

  const works = (): Promise<void> => Promise.resolve();
  const fails = (): Promise<void> => Promise.reject(new Error('refused'));
  const isSilent = (): Promise<void> => new Promise(() => undefined);

  beforeEach(() => {
    clock = new ManualClock();
    probe = works;
    health = new StoreHealth(() => probe(), clock, createLog('silent'));
    health.start();
  });
  afterEach(() => health.stop());

  it('finds a store within 4 s that says nothing any more, with nobody asking for anything', async () => {
    probe = isSilent;
    await pass(clock, 4000);
    expect(health.isWritable).toBe(false);
  });

  it('gives the store up as unready at the third miss in a row, and takes it back at the first success', async () => {
    probe = fails;
    await pass(clock, 2000);
    await pass(clock, 500);
    expect([health.isWritable, health.isReady]).toEqual([false, true]);
    await pass(clock, 500);
    expect(health.isReady).toBe(false);
    probe = works;
    await pass(clock, 500);
    expect([health.isWritable, health.isReady]).toEqual([true, true]);
  });

  it('believes a write that failed at once, and does not call two misses three after a success between them', async () => {
    health.failed(new Error('reset'));
    expect([health.isWritable, health.isReady]).toEqual([false, true]);
    for (const [next, ms] of [
      [fails, 2500],
      [works, 500],
      [fails, 2500],
    ] as const) {
      probe = next;
      await pass(clock, ms);
    }
    expect([health.isWritable, health.isReady]).toEqual([false, true]);
  });

  it('counts from the last break how long all could write', async () => {
    await pass(clock, 20_000);
    expect(health.hasWorkedFor(20_000)).toBe(true);
    probe = fails;
    await pass(clock, 2000);
    expect(health.hasWorkedFor(0)).toBe(false);
    probe = works;
    await pass(clock, 500);
    expect([health.hasWorkedFor(0), health.hasWorkedFor(1)]).toEqual([true, false]);
  });
});
