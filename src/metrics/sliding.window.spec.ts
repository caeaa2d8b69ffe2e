import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { RequestCounter } from './request.counter.js';
import { SlidingWindow } from './sliding.window.js';

describe('SlidingWindow', () => {
  const of = (clock: ManualClock): SlidingWindow => new SlidingWindow(1000, 60, () => clock.monotonic());

  it('counts what lies within it', () => {
    const clock = new ManualClock();
    const window = of(clock);
    expect(window.total()).toBe(0);
    for (let second = 0; second < 60; second++) {
      window.add();
      if (second < 59) clock.advance(1000);
    }
    expect(window.total()).toBe(60);
  });

  it('forgets bucket by bucket', () => {
    const clock = new ManualClock();
    const window = of(clock);
    window.add();
    clock.advance(30_000);
    window.add();
    clock.advance(29_999);
    expect(window.total()).toBe(2);
    clock.advance(1);
    expect(window.total()).toBe(1);
    clock.advance(30_000);
    expect(window.total()).toBe(0);
  });

  it.each([60_000, 61_000, 3_600_000, 1e12])('is empty after %d ms', (ms) => {
    const clock = new ManualClock();
    const window = of(clock);
    for (let n = 0; n < 5; n++) window.add();
    clock.advance(ms);
    expect(window.total()).toBe(0);
    window.add();
    expect(window.total()).toBe(1);
  });

  it('may begin at any time', () => {
    const clock = new ManualClock();
    clock.advance(123_456_789);
    const window = of(clock);
    window.add();
    expect(window.total()).toBe(1);
  });
});

describe('RequestCounter', () => {
  it('counts all, those of the last minute, and the errors of the last hour', () => {
    const clock = new ManualClock();
    const counter = new RequestCounter(clock);
    for (const status of [200, 302, 399, 400, 404, 500, 503]) counter.answered(status);
    expect([counter.total, counter.perMinute, counter.errorsLastHour]).toEqual([7, 7, 4]);
    clock.advance(60_000);
    expect([counter.total, counter.perMinute, counter.errorsLastHour]).toEqual([7, 0, 4]);
    clock.advance(3_600_000);
    expect([counter.total, counter.perMinute, counter.errorsLastHour]).toEqual([7, 0, 0]);
  });
});
