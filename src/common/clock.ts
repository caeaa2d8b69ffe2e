import { Injectable } from '@nestjs/common';

/** The longest delay a Node timer takes: 2^31 - 1 ms. Longer ones fire at once, so they are cut into pieces. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Time and chance, so that tests can hold both still. */
export abstract class Clock {
  /** The wall clock, epoch milliseconds: for what is shown or stored. */
  abstract now(): number;
  /** A clock that never goes back, milliseconds: for durations and deadlines. */
  abstract monotonic(): number;
  /** Whole epoch milliseconds that nobody can set ahead or back while the process lives: for what waits in the store. */
  abstract steady(): number;
  /** A number from 0 up to 1. */
  abstract random(): number;
  /** Calls `action` once, `ms` milliseconds from now; the returned function takes that back. */
  abstract after(ms: number, action: () => void): () => void;

  /** Resolves after `ms` milliseconds, or as soon as one of the signals aborts; true if it was not cut short. */
  sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
    return new Promise((resolve) => void this.wait(ms, signals, resolve));
  }

  /** Calls `over` once: with true after `ms` milliseconds, with false as soon as a signal aborts; the returned function takes that back. */
  wait(ms: number, signals: readonly AbortSignal[], over: (whole: boolean) => void): () => void {
    const end = (): void => {
      cancel();
      for (const signal of signals) signal.removeEventListener('abort', cut);
    };
    const finish = (whole: boolean): void => {
      end();
      over(whole);
    };
    const cut = (): void => finish(false);
    const cancel = this.after(ms, () => finish(true));
    for (const signal of signals) signal.addEventListener('abort', cut);
    if (signals.some((signal) => signal.aborted)) cut();
    return end;
  }
}

/** The machine's own time. */
@Injectable()
export class SystemClock extends Clock {
  /** What the wall clock showed when the monotonic one began. */
  private readonly origin = Date.now() - performance.now();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  steady(): number {
    return Math.floor(this.origin + performance.now());
  }

  random(): number {
    return Math.random();
  }

  after(ms: number, action: () => void): () => void {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const step = Math.min(left, LONGEST_TIMER_MS);
      timer = setTimeout(() => (left > step ? wait(left - step) : action()), step);
    };
    wait(ms);
    return () => clearTimeout(timer);
  }
}
