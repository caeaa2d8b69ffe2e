import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual.clock.js';
import { Bulkhead, type Entry, type Wait } from './bulkhead.js';
import { Lane, type LaneLimits } from './lane.js';

const LIMITS: LaneLimits = { maxInFlight: 64, maxWaiting: 256, ratePerSecond: null };
const PATIENT = { isPatient: true };

/** Its timers fire four milliseconds late, as those of a busy machine do. */
class LateClock extends ManualClock {
  override after(ms: number, action: () => void): () => void {
    return super.after(ms + 4, action);
  }
}

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

const laneOf = (limits: Partial<LaneLimits> = {}): Lane => new Lane(() => ({ ...LIMITS, ...limits }));

const bulkheadOf = (maxInAll: number, isHeld = (): boolean => false): Bulkhead => new Bulkhead(maxInAll, clock, isHeld);

/** What has become of those who asked so far, in the order in which it did. */
function asker(bulkhead: Bulkhead) {
  const told: string[] = [];
  const ask = async (lane: Lane, name = '', wait: Partial<Wait> = {}): Promise<Entry> => {
    const whole = { deadline: clock.monotonic() + 10_000, signals: () => [], isPatient: false, ...wait };
    const entry = await bulkhead.enter(lane, whole);
    told.push(`${name}${entry}`);
    return entry;
  };
  return { ask, told };
}

/** Lets everything happen that is due now. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const times = (count: number, action: () => void): void => {
  for (let done = 0; done < count; done++) action();
};

describe('the places of a droplet', () => {
  it('are 64; 256 wait; the 321st is refused at once', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf();
    times(320, () => void ask(lane));
    await settled();
    expect([told.length, lane.inFlight, lane.line.length]).toEqual([64, 64, 256]);
    expect(await ask(lane)).toBe('full');
  });

  it('go to those who wait, first come, first served', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1 });
    for (const name of ['a ', 'b ', 'c ']) void ask(lane, name);
    for (let left = 0; left < 3; left++) {
      await settled();
      bulkhead.leave(lane);
    }
    expect(told).toEqual(['a entered', 'b entered', 'c entered']);
    expect([lane.inFlight, bulkhead.inFlight]).toEqual([0, 0]);
  });

  it('refuse nobody whose number is bounded elsewhere', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1, maxWaiting: 0 });
    await ask(lane);
    expect(await ask(lane)).toBe('full');
    const patient = ask(lane, '', PATIENT);
    bulkhead.leave(lane);
    expect(await patient).toBe('entered');
  });

  it('are waited for by so many callers, however many wait whose number is bounded elsewhere', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1, maxWaiting: 2 });
    await ask(lane);
    times(5, () => void ask(lane, 'patient ', PATIENT));
    void ask(lane, 'first ');
    void ask(lane, 'late ', { deadline: 500 });
    expect(await ask(lane)).toBe('full');
    clock.advance(500);
    await settled();
    void ask(lane, 'second ');
    expect(await ask(lane)).toBe('full');
    times(6, () => bulkhead.leave(lane));
    void ask(lane, 'third ');
    expect(await ask(lane)).toBe('full');
    times(3, () => bulkhead.leave(lane));
    await settled();
    expect(told.filter((entry) => entry.endsWith(' entered')).length).toBe(8);
    expect([told.includes('late late'), lane.inFlight, lane.line.length]).toEqual([true, 0, 0]);
  });

  it('are not waited for beyond the deadline', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1 });
    await ask(lane);
    const late = ask(lane, '', { deadline: 500 });
    clock.advance(499);
    await settled();
    expect(told).toHaveLength(1);
    clock.advance(1);
    expect([await late, lane.line.length]).toEqual(['late', 0]);
    bulkhead.leave(lane);
    expect([lane.inFlight, bulkhead.inFlight]).toEqual([0, 0]);
  });

  it('are not given to who is gone', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1 });
    await ask(lane);
    const gone = new AbortController();
    const first = ask(lane, '', { signals: () => [gone.signal] });
    const second = ask(lane);
    gone.abort();
    expect([await first, lane.line.length]).toEqual(['gone', 1]);
    bulkhead.leave(lane);
    expect([await second, lane.inFlight]).toEqual(['entered', 1]);
  });

  it('end the wait: what would have ended it later takes nobody else out of the line', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1 });
    await ask(lane);
    const gone = new AbortController();
    const first = ask(lane, '', { deadline: 500, signals: () => [gone.signal] });
    const second = ask(lane);
    bulkhead.leave(lane);
    gone.abort();
    clock.advance(600);
    expect([await first, lane.inFlight, lane.line.length]).toEqual(['entered', 1, 1]);
    expect([getEventListeners(gone.signal, 'abort'), clock.waiting.length]).toEqual([[], 1]);
    bulkhead.leave(lane);
    expect(await second).toBe('entered');
  });

  it.each([
    ['before', 'entered', 1],
    ['after', 'late', 0],
  ])('that are given %s the deadline, in the same moment, are not lost', async (order, entry, taken) => {
    const bulkhead = bulkheadOf(1024);
    const { ask } = asker(bulkhead);
    const lane = laneOf({ maxInFlight: 1 });
    await ask(lane);
    const late = ask(lane, '', { deadline: 500 });
    const steps = [(): void => bulkhead.leave(lane), (): void => clock.advance(500)];
    for (const step of order === 'before' ? steps : steps.reverse()) step();
    expect([await late, lane.inFlight, bulkhead.inFlight, lane.line.length]).toEqual([entry, taken, taken, 0]);
  });
});

describe('the places of all droplets', () => {
  it('are 1,024, whatever the droplets have of their own', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lanes = Array.from({ length: 20 }, () => laneOf());
    for (const lane of lanes) times(64, () => void ask(lane));
    await settled();
    expect([told.length, bulkhead.inFlight]).toEqual([1024, 1024]);
    expect(lanes.reduce((sum, lane) => sum + lane.line.length, 0)).toBe(20 * 64 - 1024);
  });

  it('go to the droplets in turns, not always to the one whose call has ended', async () => {
    const bulkhead = bulkheadOf(2);
    const { ask, told } = asker(bulkhead);
    const [busy, other, third] = [laneOf(), laneOf(), laneOf()];
    times(8, () => void ask(busy, 'busy '));
    times(3, () => void ask(other, 'other '));
    times(2, () => void ask(third, 'third '));
    for (let left = 0; left < 7; left++) {
      await settled();
      bulkhead.leave([busy, other, third].find((lane) => lane.inFlight > 0) ?? busy);
    }
    await settled();
    const turns = told.slice(2).map((entry) => entry.split(' ')[0]);
    expect(turns).toEqual(['busy', 'other', 'third', 'busy', 'other', 'third', 'busy']);
  });

  it('that nobody waits for any more are free', async () => {
    const bulkhead = bulkheadOf(1);
    const { ask } = asker(bulkhead);
    const [busy, other] = [laneOf(), laneOf()];
    await ask(busy);
    const late = ask(other, '', { deadline: 100 });
    clock.advance(100);
    expect(await late).toBe('late');
    bulkhead.leave(busy);
    expect([await ask(busy), bulkhead.inFlight]).toEqual(['entered', 1]);
  });

  it('are not held by a droplet that has none of its own left', async () => {
    const bulkhead = bulkheadOf(2);
    const { ask } = asker(bulkhead);
    const [narrow, other] = [laneOf({ maxInFlight: 1 }), laneOf()];
    await ask(narrow);
    await ask(other);
    const [again, waits] = [ask(narrow), ask(other)];
    bulkhead.leave(other);
    expect([await waits, narrow.line.length]).toEqual(['entered', 1]);
    bulkhead.leave(narrow);
    expect(await again).toBe('entered');
  });
});

describe('places that are held', () => {
  it('are given to nobody until they are let go, and then to all who waited, each droplet within its own', async () => {
    let isHeld = false;
    const bulkhead = bulkheadOf(3, () => isHeld);
    const { ask, told } = asker(bulkhead);
    const [narrow, other] = [laneOf({ maxInFlight: 1 }), laneOf()];
    await ask(narrow, 'first ');
    isHeld = true;
    times(2, () => void ask(narrow, 'narrow ', PATIENT));
    times(3, () => void ask(other, 'other ', PATIENT));
    bulkhead.leave(narrow);
    bulkhead.share();
    await settled();
    expect([told, bulkhead.inFlight]).toEqual([['first entered'], 0]);
    isHeld = false;
    bulkhead.share();
    await settled();
    expect(told.slice(1).toSorted()).toEqual(['narrow entered', 'other entered', 'other entered']);
    expect([narrow.inFlight, other.inFlight, bulkhead.inFlight]).toEqual([1, 2, 3]);
    for (let left = 0; left < 2; left++) {
      bulkhead.leave(narrow);
      bulkhead.leave(other);
    }
    bulkhead.leave(other);
    await settled();
    expect([told.length, narrow.inFlight, other.inFlight, bulkhead.inFlight]).toEqual([6, 0, 0, 0]);
  });

  it('are not waited for beyond the deadline, and none is lost', async () => {
    let isHeld = true;
    const bulkhead = bulkheadOf(1, () => isHeld);
    const { ask } = asker(bulkhead);
    const lane = laneOf();
    const late = ask(lane, '', { ...PATIENT, deadline: 500 });
    const next = ask(lane, '', PATIENT);
    clock.advance(500);
    expect([await late, lane.line.length]).toEqual(['late', 1]);
    isHeld = false;
    bulkhead.share();
    expect([await next, bulkhead.inFlight]).toEqual(['entered', 1]);
  });

  it('wait for their rate as well', async () => {
    let isHeld = false;
    const bulkhead = bulkheadOf(9, () => isHeld);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ ratePerSecond: 1 });
    times(3, () => void ask(lane, '', PATIENT));
    isHeld = true;
    clock.advance(1000);
    await settled();
    expect(told).toHaveLength(1);
    isHeld = false;
    bulkhead.share();
    await settled();
    expect(told).toHaveLength(2);
    clock.advance(1000);
    await settled();
    expect(told).toHaveLength(3);
  });
});

describe('the rate of a droplet', () => {
  it('spaces the calls evenly', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ ratePerSecond: 4 });
    times(6, () => void ask(lane));
    const seen: number[] = [];
    for (let quarter = 0; quarter < 6; quarter++) {
      await settled();
      seen.push(told.length);
      clock.advance(250);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is not saved up while nobody calls', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ ratePerSecond: 4 });
    await ask(lane);
    clock.advance(60_000);
    times(4, () => void ask(lane));
    await settled();
    expect(told).toHaveLength(2);
  });

  it('is kept when timers are late by a few milliseconds', async () => {
    clock = new LateClock();
    const bulkhead = bulkheadOf(10_000);
    const { ask, told } = asker(bulkhead);
    const lane = laneOf({ ratePerSecond: 1000, maxInFlight: 10_000, maxWaiting: 10_000 });
    times(2000, () => void ask(lane));
    for (let passed = 0; passed < 1000; passed += 5) {
      clock.advance(5);
      await settled();
    }
    expect(told.length).toBeGreaterThanOrEqual(990);
    expect(told.length).toBeLessThanOrEqual(1010);
  });

  it('that is raised is waited for no longer than it asks now, by those who are in line too', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    let ratePerSecond = 1e-6;
    const lane = new Lane(() => ({ ...LIMITS, ratePerSecond }));
    await ask(lane);
    void ask(lane, '', PATIENT);
    ratePerSecond = 100;
    void ask(lane, '', PATIENT);
    expect(clock.waiting[0]).toBe(10);
    for (let passed = 0; passed < 2; passed++) {
      clock.advance(10);
      await settled();
    }
    expect([told.length, clock.waiting]).toEqual([3, []]);
  });

  it('that is raised lets in who waits although nobody more may', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask, told } = asker(bulkhead);
    let ratePerSecond = 1e-6;
    const lane = new Lane(() => ({ ...LIMITS, maxWaiting: 1, ratePerSecond }));
    times(2, () => void ask(lane));
    expect(await ask(lane)).toBe('full');
    ratePerSecond = 100;
    expect(await ask(lane)).toBe('full');
    clock.advance(10);
    await settled();
    expect(told).toEqual(['entered', 'full', 'full', 'entered']);
  });

  it('holds those who are patient as well, and lets go of who is late', async () => {
    const bulkhead = bulkheadOf(1024);
    const { ask } = asker(bulkhead);
    const lane = laneOf({ ratePerSecond: 1 });
    await ask(lane);
    const [late, patient] = [ask(lane, '', { deadline: 500 }), ask(lane, '', PATIENT)];
    clock.advance(500);
    expect(await late).toBe('late');
    clock.advance(500);
    expect(await patient).toBe('entered');
  });
});
