import type { Clock } from '../common/clock.js';
import type { Lane, Waiter } from './lane.js';

/** How a caller waits for a place. */
export interface Wait {
  /** Monotonic milliseconds. */
  readonly deadline: number;
  /** What ends the wait; asked only when there is one. */
  readonly signals: () => readonly AbortSignal[];
  /** True for those whose number is bounded elsewhere: the line is never too long for them. */
  readonly isPatient: boolean;
}

/** `full`: the line is too long; `late`: the deadline passed in it; `gone`: the caller took the call back. */
export type Entry = 'entered' | 'full' | 'late' | 'gone';

/** A timer that fires this late takes nothing away from the rate. */
const TIMER_SLACK_MS = 20;

/**
 * Bounds the calls in flight: so many to each droplet, so many in all. Beyond that callers wait in line, first come,
 * first served; a slow droplet fills its own places and no other's. Droplets that wait for a place of the whole get it in
 * turns. While the whole is held nobody gets in, and all wait as for a place of it.
 */
export class Bulkhead {
  private inAll = 0;
  /** Lanes whose line waits for a place of the whole, in their turn. */
  private readonly starved = new Set<Lane>();

  /** @param isHeld true while nobody may get in; when that ends, `share` must be called */
  constructor(
    private readonly maxInAll: number,
    private readonly clock: Clock,
    private readonly isHeld: () => boolean,
  ) {}

  get inFlight(): number {
    return this.inAll;
  }

  /** True when the caller has a place at once, which it must give back: nobody stands in line, and there is room. */
  enterNow(lane: Lane): boolean {
    // The limits may be wider by now than when those in line came.
    this.pump(lane);
    return lane.line.length === 0 && this.take(lane);
  }

  /** Resolves when the caller has a place, which it must give back, or does not wait for one any more. */
  async enter(lane: Lane, wait: Wait): Promise<Entry> {
    if (this.enterNow(lane)) return 'entered';
    if (!wait.isPatient && lane.impatient >= lane.limits().maxWaiting) return 'full';
    const since = this.clock.monotonic();
    const entry = await this.stand(lane, wait, Math.max(0, wait.deadline - since));
    lane.onWaited(this.clock.monotonic() - since);
    return entry;
  }

  leave(lane: Lane): void {
    lane.inFlight--;
    this.inAll--;
    if (this.starved.size === 0) return this.pump(lane);
    if (lane.line.length > 0) this.starved.add(lane);
    this.share();
  }

  /** Gives what places of the whole are free to those who wait for one. */
  share(): void {
    // A lane that gets one place and wants more stands at the end again: the loop comes back to it.
    for (const next of this.starved) {
      if (this.isFull) return;
      this.starved.delete(next);
      if (this.admit(next) && next.line.length > 0) this.starved.add(next);
    }
  }

  /** Stands in line until it is the caller's turn, or for `ms` milliseconds, or until a signal ends the wait. */
  private stand(lane: Lane, { signals, isPatient }: Wait, ms: number): Promise<Entry> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        enter: () => {
          leave();
          resolve('entered');
        },
        isPatient,
      };
      lane.join(waiter);
      const leave = this.clock.wait(ms, signals(), (isLate) => {
        lane.quit(waiter);
        resolve(isLate ? 'late' : 'gone');
      });
    });
  }

  private get isFull(): boolean {
    return this.inAll >= this.maxInAll || this.isHeld();
  }

  private pump(lane: Lane): void {
    while (this.admit(lane));
  }

  /** Lets the first of a line in, if there is room. */
  private admit(lane: Lane): boolean {
    if (lane.line.length === 0 || !this.take(lane)) return false;
    lane.next()?.enter();
    return true;
  }

  private take(lane: Lane): boolean {
    const { maxInFlight, ratePerSecond } = lane.limits();
    if (lane.inFlight >= maxInFlight) return false;
    if (this.isFull) {
      this.starved.add(lane);
      return false;
    }
    if (ratePerSecond !== null && !this.isInRate(lane, ratePerSecond)) return false;
    lane.inFlight++;
    this.inAll++;
    return true;
  }

  /** Calls are spread evenly: each takes its share of the second. */
  private isInRate(lane: Lane, ratePerSecond: number): boolean {
    const now = this.clock.monotonic();
    const share = 1000 / ratePerSecond;
    // It may have been raised since: what is left of the wait is never more than it asks for now.
    lane.nextAt = Math.min(lane.nextAt, now + share);
    if (now < lane.nextAt) {
      this.pumpAt(lane, lane.nextAt);
      return false;
    }
    const from = now - lane.nextAt > TIMER_SLACK_MS ? now : lane.nextAt;
    lane.nextAt = from + share;
    return true;
  }

  private pumpAt(lane: Lane, at: number): void {
    if (lane.nextLook && lane.nextLook.at <= at) return;
    lane.nextLook?.cancel();
    const cancel = this.clock.after(at - this.clock.monotonic(), () => {
      lane.nextLook = null;
      this.pump(lane);
    });
    lane.nextLook = { at, cancel };
  }
}
