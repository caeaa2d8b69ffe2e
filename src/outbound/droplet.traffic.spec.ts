import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { CircuitOpenError, OverloadedError } from '../common/errors.js';
import { parseSettings } from '../config/settings.js';
import { Bulkhead } from './bulkhead.js';
import type { CallResult } from './circuit.breaker.js';
import { defaultPolicy } from './droplet.policy.js';
import { DropletTraffic } from './droplet.traffic.js';
import type { Turn, TurnWait } from './gate.js';

describe('the traffic of a droplet', () => {
  let clock: ManualClock;
  let traffic: DropletTraffic;
  let bulkhead: Bulkhead;
  let isMemoryFull: boolean;
  let refused: string[];

  beforeEach(() => {
    clock = new ManualClock();
    isMemoryFull = false;
    refused = [];
    bulkhead = new Bulkhead(1024, clock, () => isMemoryFull);
    traffic = new DropletTraffic('echo', defaultPolicy(parseSettings({ BREAKER_MIN_CALLS: '4' })), {
      bulkhead,
      budget: { percent: 20, minPerSecond: 1 },
      clock,
      isMemoryFull: () => isMemoryFull,
      onRetryRefused: (droplet) => refused.push(droplet),
      onWaited: () => undefined,
    });
  });

  const wait = (change: Partial<TurnWait> = {}): TurnWait => ({
    ...{ deadline: clock.monotonic() + 1000, signals: () => [], isFirst: true, isPatient: false },
    ...change,
  });
  const call = async (result: CallResult, ms = 10): Promise<void> => {
    const turn = await traffic.enter(wait());
    clock.advance(ms);
    turn?.leave(result, ms);
  };
  const breakIt = async (): Promise<void> => {
    for (let count = 0; count < 4; count++) await call('failure');
    expect(traffic.health().breaker).toBe('open');
  };

  it('refuses at once while its breaker is open, and says when to come again', async () => {
    await breakIt();
    const error = await traffic.enter(wait()).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ retryAfterSeconds: 30, details: { droplet: 'echo', reason: 'breaker' } });
    expect(traffic.inFlight).toBe(0);
  });

  it('refuses those who waited in the line while it opened, and keeps no place of theirs', async () => {
    traffic.policy = { ...traffic.policy, maxInFlight: 4 };
    const turns = await Promise.all(Array.from({ length: 4 }, () => traffic.enter(wait())));
    const waiting = Array.from({ length: 10 }, () => traffic.enter(wait()).catch((error: unknown) => error));
    expect(traffic.waiting).toBe(10);
    for (const turn of turns) turn?.leave('failure', 1);
    const told = await Promise.all(waiting);
    const entered = told.filter((each): each is Turn => !(each instanceof Error));
    for (const turn of entered) turn.leave('neutral', 1);
    expect(told.filter((each) => each instanceof CircuitOpenError).length).toBeGreaterThan(0);
    expect([traffic.inFlight, traffic.waiting]).toEqual([0, 0]);
  });

  it('refuses new callers while the answers take all memory, and lets retries and asynchronous tasks wait', async () => {
    isMemoryFull = true;
    await expect(traffic.enter(wait())).rejects.toThrow(OverloadedError);
    const patient = traffic.enter(wait({ isPatient: true }));
    expect([traffic.inFlight, traffic.waiting]).toEqual([0, 1]);
    isMemoryFull = false;
    bulkhead.share();
    (await patient)?.leave('success', 1);
    expect([traffic.inFlight, traffic.waiting]).toEqual([0, 0]);
  });

  it('counts first attempts for the budget, and tells of each retry that it refuses', async () => {
    for (let count = 0; count < 50; count++) await call('success', 1);
    const taken = Array.from({ length: 25 }, () => traffic.takeRetry()).filter(Boolean);
    expect([taken.length, refused.length, refused[0]]).toEqual([20, 5, 'echo']);
  });

  it('has room for asynchronous calls as long as all is well', () => {
    expect(traffic.room()).toMatchObject({ most: 64, now: 64 });
  });

  it('has none while its breaker is open, then for one, and after it has closed for twice as many every half second', async () => {
    await breakIt();
    expect(traffic.room()).toEqual({ most: 64, now: 0, askAgainMs: 30_000 });
    clock.advance(30_000);
    expect(traffic.room().now).toBe(1);
    const probe = await traffic.enter(wait());
    expect(traffic.room().now).toBe(0);
    probe?.leave('success', 1);
    const ramp = Array.from({ length: 8 }, () => {
      const { now } = traffic.room();
      clock.advance(500);
      return now;
    });
    expect(ramp).toEqual([1, 2, 4, 8, 16, 32, 64, 64]);
  });

  it.each([
    ['resumed', { paused: true, breaker: 'auto' }],
    ['let go from a breaker that was held open', { paused: false, breaker: 'open' }],
  ] as const)('comes back slowly too when it is %s', (_title, held) => {
    clock.advance(60_000);
    traffic.obey(held);
    expect([traffic.room().now, traffic.isShut]).toEqual([0, true]);
    traffic.obey({ paused: false, breaker: 'auto' });
    expect([traffic.room().now, traffic.isShut]).toEqual([1, false]);
    clock.advance(500);
    expect(traffic.room().now).toBe(2);
  });

  it('has a health: what its calls came to, unless no call passes', async () => {
    for (let count = 0; count < 3; count++) await call('success', 10);
    const turn = await traffic.enter(wait());
    const figures = { success_rate_percent: 100, p95_ms: 10 };
    expect(traffic.health()).toEqual({ state: 'up', breaker: 'closed', in_flight: 1, ...figures });
    turn?.leave('neutral', 1);
    traffic.obey({ paused: true, breaker: 'auto' });
    expect(traffic.health()).toMatchObject({ state: 'down', breaker: 'paused', in_flight: 0, ...figures });
  });
});
