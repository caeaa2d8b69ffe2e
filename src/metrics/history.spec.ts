import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { History, KEPT_STEPS, STEP_MS } from './history.js';
import { Metrics } from './metrics.js';

describe('the history of the figures', () => {
  let clock: ManualClock;
  let metrics: Metrics;
  let lifecycle: Lifecycle;
  let history: History;
  let traffic: { inFlight: number; waiting: number }[];

  beforeEach(() => {
    clock = new ManualClock();
    metrics = new Metrics();
    lifecycle = new Lifecycle();
    traffic = [];
    metrics.provide({
      totals: () => Promise.reject(new Error('not asked for')),
      registry: () => ({ cacheAgeSeconds: 0, cacheStatus: 'active', known: 1, reachable: 1 }),
      traffic: () => traffic.map((one) => ({ ...one, droplet: 'Echo', breaker: 'closed' as const })),
      queue: () => {
        throw new Error('the history must not ask the store');
      },
      queued: () => 7,
      eventReaders: () => 0,
      isStoreWritable: () => true,
    });
    history = new History(metrics, clock, lifecycle);
    history.onApplicationBootstrap();
  });

  const finish = (status: string, durationMs = 10, retryCount = 0): void =>
    metrics.taskFinished({ droplet: 'Echo', status, durationMs, retryCount });

  it('counts what ended in each step, by outcome, and begins anew', () => {
    for (const status of ['success', 'success', 'error', 'timeout', 'cancelled']) finish(status, 100, 1);
    clock.advance(STEP_MS);
    finish('success');
    clock.advance(STEP_MS);
    const [first, second] = history.after(0);
    expect(first).toMatchObject({ success: 2, error: 1, timeout: 1, cancelled: 1, retries: 5, ms: STEP_MS });
    expect(second).toMatchObject({ success: 1, error: 0, timeout: 0, cancelled: 0, retries: 0 });
  });

  it('has the percentiles of each step alone, without the cancelled ones', () => {
    for (let i = 0; i < 99; i++) finish('success', 20);
    finish('timeout', 3000);
    finish('cancelled', 500_000);
    clock.advance(STEP_MS);
    clock.advance(STEP_MS);
    const [busy, idle] = history.after(0);
    expect(busy?.p50Ms).toBeLessThan(22);
    expect(busy?.p99Ms).toBeLessThan(3300);
    expect(idle).toMatchObject({ p50Ms: null, p95Ms: null, p99Ms: null });
  });

  it('says how much there was to do at the end of each step, over all droplets', () => {
    traffic = [
      { inFlight: 3, waiting: 1 },
      { inFlight: 2, waiting: 4 },
    ];
    clock.advance(STEP_MS);
    expect(history.after(0)).toEqual([expect.objectContaining({ queued: 7, inFlight: 5, waiting: 5 })]);
  });

  it('keeps an hour and no more, and gives what is newer than a time', () => {
    for (let step = 0; step < KEPT_STEPS + 5; step++) clock.advance(STEP_MS);
    const all = history.after(0);
    expect(all).toHaveLength(KEPT_STEPS);
    expect(history.after(all.at(-3)!.at)).toEqual(all.slice(-2));
  });

  it('shows the step that is under way, and does not end it by that', () => {
    finish('success');
    clock.advance(4000);
    expect(history.current).toMatchObject({ success: 1, ms: 4000, at: clock.now() });
    finish('success');
    clock.advance(STEP_MS - 4000);
    expect(history.after(0)).toEqual([expect.objectContaining({ success: 2, ms: STEP_MS })]);
  });

  it('ends with the process', () => {
    expect(clock.waiting).toEqual([STEP_MS]);
    lifecycle.beginDrain();
    expect(clock.waiting).toEqual([]);
  });
});
