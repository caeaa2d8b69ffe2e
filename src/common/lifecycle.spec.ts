import { describe, expect, it } from '@jest/globals';
import { Lifecycle } from './lifecycle.js';

const look = (lifecycle: Lifecycle) => [lifecycle.phase, lifecycle.draining.aborted, lifecycle.aborting.aborted];

describe('Lifecycle', () => {
  it('leaves, drains, aborts: waits end with the drain, calls only with the last step', () => {
    const lifecycle = new Lifecycle();
    expect(look(lifecycle)).toEqual(['serving', false, false]);
    lifecycle.leave();
    expect(look(lifecycle)).toEqual(['leaving', false, false]);
    lifecycle.beginDrain();
    expect(look(lifecycle)).toEqual(['draining', true, false]);
    lifecycle.abortCalls();
    expect(look(lifecycle)).toEqual(['aborting', true, true]);
  });

  it('tells of the drain who has not taken that back, and at once who comes later', () => {
    const lifecycle = new Lifecycle();
    const told: string[] = [];
    lifecycle.onDrain(() => told.push('first'));
    lifecycle.onDrain(() => told.push('taken back'))();
    lifecycle.onDrain(() => told.push('second'));
    lifecycle.leave();
    expect(told).toEqual([]);
    lifecycle.beginDrain();
    lifecycle.onDrain(() => told.push('later'));
    expect(told).toEqual(['first', 'second', 'later']);
  });

  it('is not idle while any work runs, and gives what the work gave', async () => {
    const lifecycle = new Lifecycle();
    const ends: (() => void)[] = [];
    const work = (result: number) => lifecycle.during(() => new Promise<number>((resolve) => ends.push(() => resolve(result))));
    const first = work(1);
    const second = work(2);
    expect(lifecycle.isIdle).toBe(false);
    ends[0]?.();
    expect(await first).toBe(1);
    expect(lifecycle.isIdle).toBe(false);
    ends[1]?.();
    expect(await second).toBe(2);
    expect(lifecycle.isIdle).toBe(true);
  });

  it('is idle again after work that failed, at once or later', async () => {
    const lifecycle = new Lifecycle();
    const atOnce = (): Promise<never> => {
      throw new Error('at once');
    };
    await expect(lifecycle.during(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
    expect(() => lifecycle.during(atOnce)).toThrow('at once');
    expect(lifecycle.isIdle).toBe(true);
  });
});
