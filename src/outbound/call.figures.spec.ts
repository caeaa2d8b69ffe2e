import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { CallFigures } from './call.figures.js';
import type { CallResult } from './circuit.breaker.js';

describe('the figures of a droplet’s calls', () => {
  let clock: ManualClock;
  let calls: CallFigures;

  beforeEach(() => {
    clock = new ManualClock();
    calls = new CallFigures(() => clock.monotonic());
  });

  const call = (result: CallResult, ms = 10): void => {
    clock.advance(ms);
    calls.record(result, ms);
  };

  it('are none before the first call', () => {
    expect([calls.count, calls.goodPercent, calls.p95, calls.state]).toEqual([0, null, null, 'unknown']);
  });

  it('tell the share of good calls of the last minute, and the 95th percentile of the last times', () => {
    for (let count = 0; count < 19; count++) call('success', 10);
    call('failure', 500);
    call('neutral', 90_000);
    expect([calls.count, calls.goodPercent, calls.p95, calls.state]).toEqual([0, null, 500, 'unknown']);
    for (let count = 0; count < 3; count++) call('success', 10);
    call('failure', 10);
    expect([calls.count, calls.goodPercent, calls.state]).toEqual([4, 75, 'degraded']);
  });

  it.each([
    [0, 'down'],
    [18, 'degraded'],
    [19, 'up'],
  ])('of which %i of 20 were good make a droplet %s', (good, state) => {
    for (let count = 0; count < 20; count++) call(count < good ? 'success' : 'failure');
    expect(calls.state).toBe(state);
  });

  it('rest on no more than the last two hundred times', () => {
    for (let count = 0; count < 100; count++) call('success', 900);
    for (let count = 0; count < 200; count++) call('success', 10);
    expect(calls.p95).toBe(10);
  });
});
