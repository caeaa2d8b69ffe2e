import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from './clock.js';

const clock = new SystemClock();
const DAY_MS = 86_400_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

describe('the real clock', () => {
  it('shows the wall clock, and measures with one that does not go back', async () => {
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
    const begin = clock.monotonic();
    expect(await clock.sleep(5)).toBe(true);
    expect(clock.monotonic()).toBeGreaterThan(begin);
    const chance = clock.random();
    expect(chance >= 0 && chance < 1).toBe(true);
  });
});

describe('waiting', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('a sleep ends after its time and not before', async () => {
    const ended = jest.fn();
    void clock.sleep(1000).then(ended);
    await jest.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledWith(true);
  });

  it.each([0, 1, 2])('any of several signals cuts a sleep short at once (signal %i)', async (which) => {
    const signals = [new AbortController(), new AbortController(), new AbortController()];
    const sleep = clock.sleep(DAY_MS, ...signals.map(({ signal }) => signal));
    signals[which]?.abort();
    expect(await sleep).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('a signal that has aborted already lets nobody sleep', async () => {
    expect(await clock.sleep(DAY_MS, new AbortController().signal, AbortSignal.abort())).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves nothing on the signal when it is over: a thousand waits do not pile up', async () => {
    const stop = new AbortController();
    const added = jest.spyOn(stop.signal, 'addEventListener');
    const removed = jest.spyOn(stop.signal, 'removeEventListener');
    for (let round = 0; round < 1000; round++) {
      const sleep = clock.sleep(1, stop.signal);
      await jest.advanceTimersByTimeAsync(1);
      expect(await sleep).toBe(true);
    }
    expect(added).toHaveBeenCalledTimes(1000);
    expect(removed).toHaveBeenCalledTimes(1000);
  });

  it('a wait that is taken back tells nothing, and leaves nothing', () => {
    const stop = new AbortController();
    const over = jest.fn();
    const takeBack = clock.wait(1000, [stop.signal], over);
    takeBack();
    stop.abort();
    jest.advanceTimersByTime(2000);
    expect([over.mock.calls, getEventListeners(stop.signal, 'abort'), jest.getTimerCount()]).toEqual([[], [], 0]);
  });

  it('an action that is taken back never happens', () => {
    const action = jest.fn();
    const takeBack = clock.after(1000, action);
    jest.advanceTimersByTime(999);
    takeBack();
    jest.advanceTimersByTime(DAY_MS);
    expect(action).not.toHaveBeenCalled();
  });

  it.each([
    ['60 days', 60 * DAY_MS],
    ['just over what a Node timer takes', LONGEST_TIMER_MS + 1],
    ['exactly what a Node timer takes', LONGEST_TIMER_MS],
    ['a year', 365 * DAY_MS],
  ])('%s are not cut short by 31-bit timers', (_name, ms) => {
    const set = jest.spyOn(globalThis, 'setTimeout');
    const action = jest.fn();
    clock.after(ms, action);
    jest.advanceTimersByTime(ms - 1);
    expect(action).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledTimes(1);
    // The fake timers take any delay; the real ones fire at once above this.
    for (const [, delay] of set.mock.calls) expect(delay).toBeLessThanOrEqual(LONGEST_TIMER_MS);
  });

  it('a long wait can be taken back in its second piece', () => {
    const action = jest.fn();
    const takeBack = clock.after(60 * DAY_MS, action);
    jest.advanceTimersByTime(30 * DAY_MS);
    takeBack();
    jest.advanceTimersByTime(60 * DAY_MS);
    expect(action).not.toHaveBeenCalled();
  });
});
