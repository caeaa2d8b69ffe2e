import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { CircuitBreaker, type CallResult, type Leave } from './circuit.breaker.js';
import type { BreakerPolicy } from './droplet.policy.js';

const POLICY: BreakerPolicy = { windowMs: 10_000, minCalls: 20, failurePercent: 50, openMs: 30_000 };

let clock: ManualClock;
let policy: BreakerPolicy;
let breaker: CircuitBreaker;

beforeEach(() => {
  clock = new ManualClock();
  policy = POLICY;
  breaker = new CircuitBreaker(
    () => policy,
    () => clock.monotonic(),
  );
});

const entered = (): Leave => {
  const leave = breaker.enter();
  if (!leave) throw new Error('no call passes');
  return leave;
};
const calls = (count: number, result: CallResult): void => {
  for (let made = 0; made < count; made++) breaker.leave(entered(), result);
};
const open = (): void => {
  calls(20, 'failure');
  expect(breaker.state).toBe('open');
};

describe('a breaker', () => {
  it('opens when half of twenty calls have failed, not before', () => {
    calls(10, 'success');
    calls(9, 'failure');
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(breaker.state).toBe('open');
    expect(breaker.enter()).toBeNull();
  });

  it('stays closed when fewer than half fail', () => {
    for (let round = 0; round < 100; round++) {
      calls(3, 'success');
      calls(2, 'failure');
    }
    expect(breaker.state).toBe('closed');
  });

  it('stays closed when fewer than twenty calls were made in ten seconds, though all fail', () => {
    for (let second = 0; second < 60; second++) {
      calls(1, 'failure');
      clock.advance(1000);
    }
    expect(breaker.state).toBe('closed');
  });

  it('takes no notice of calls that say nothing', () => {
    calls(100, 'neutral');
    calls(19, 'failure');
    calls(100, 'neutral');
    expect(breaker.state).toBe('closed');
  });

  it('stays open for thirty seconds, and says how long it still does', () => {
    open();
    expect(breaker.retryAfterMs).toBe(30_000);
    clock.advance(29_999);
    expect([breaker.state, breaker.enter(), breaker.retryAfterMs]).toEqual(['open', null, 1]);
    clock.advance(1);
    expect([breaker.state, breaker.retryAfterMs]).toEqual(['half-open', 0]);
  });

  it('then lets one of two hundred through', () => {
    open();
    clock.advance(30_000);
    const leaves = Array.from({ length: 200 }, () => breaker.enter());
    expect(leaves.filter((leave) => leave !== null)).toHaveLength(1);
    expect([breaker.state, breaker.retryAfterMs]).toEqual(['half-open', 1000]);
  });

  it('closes when that one succeeds, and has forgotten what was before', () => {
    open();
    clock.advance(30_000);
    breaker.leave(entered(), 'success');
    expect([breaker.state, breaker.closedForMs, breaker.retryAfterMs]).toEqual(['closed', 0, 0]);
    calls(19, 'failure');
    expect(breaker.state).toBe('closed');
  });

  it('opens for another thirty seconds when that one fails', () => {
    open();
    clock.advance(30_000);
    breaker.leave(entered(), 'failure');
    expect([breaker.state, breaker.retryAfterMs]).toEqual(['open', 30_000]);
    clock.advance(30_000);
    expect(breaker.enter()).not.toBeNull();
  });

  it('lets another one through when that one says nothing', () => {
    open();
    clock.advance(30_000);
    breaker.leave(entered(), 'neutral');
    expect(breaker.state).toBe('half-open');
    expect(breaker.enter()).not.toBeNull();
  });

  it('takes no notice of calls that began before it opened, whenever they end', () => {
    const slow = Array.from({ length: 40 }, entered);
    open();
    clock.advance(30_000);
    breaker.leave(entered(), 'success');
    for (const leave of slow) breaker.leave(leave, 'failure');
    expect(breaker.state).toBe('closed');
  });

  it('takes over a window that the policy has changed', () => {
    policy = { ...POLICY, windowMs: 100_000 };
    for (let call = 0; call < 20; call++) {
      calls(1, 'failure');
      clock.advance(2000);
    }
    expect(breaker.state).toBe('open');
  });
});

describe('a breaker that an operator holds', () => {
  it('open lets nothing through until it is let go, and then all', () => {
    breaker.order = 'open';
    clock.advance(3_600_000);
    expect([breaker.state, breaker.enter(), breaker.retryAfterMs]).toEqual(['open', null, 30_000]);
    breaker.order = 'auto';
    expect([breaker.state, breaker.closedForMs]).toEqual(['closed', 0]);
  });

  it('closed lets everything through, and decides again when it is let go', () => {
    breaker.order = 'closed';
    calls(100, 'failure');
    expect(breaker.state).toBe('closed');
    breaker.order = 'auto';
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(breaker.state).toBe('open');
  });

  it('closed while it is open lets calls through at once, also if a probe never comes back', () => {
    open();
    clock.advance(30_000);
    const lost = entered();
    breaker.order = 'closed';
    calls(1, 'success');
    breaker.order = 'auto';
    expect(breaker.state).toBe('closed');
    breaker.leave(lost, 'failure');
    expect(breaker.state).toBe('closed');
  });

  it('says nothing new when it is told the same again', () => {
    open();
    breaker.order = 'auto';
    expect(breaker.state).toBe('open');
  });
});
