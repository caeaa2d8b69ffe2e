import { onAbort } from './on.abort.js';
import { OrchestratorError } from './orchestrator.error.js';

/** What may end a call before its answer. */
export interface Limits {
  /** Ends the call; it is then thrown as the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long the call may take. */
  readonly timeoutMs?: number | undefined;
}

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One signal for a caller's own and a time limit. Made by hand: `AbortSignal.any` is missing in Node 20.0, and may lose a timeout. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly unfollow: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ signal, timeoutMs }: Limits) {
    this.unfollow = onAbort(signal, () => this.controller.abort(signal?.reason));
    this.restart(timeoutMs);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Begins the time anew. */
  restart(timeoutMs?: number): void {
    clearTimeout(this.timer);
    if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS) return;
    this.timer = setTimeout(() => this.controller.abort(timedOut(timeoutMs)), timeoutMs);
  }

  /** To be called when the call is over, so that nothing of it stays. */
  end(): void {
    clearTimeout(this.timer);
    this.unfollow();
  }
}

const timedOut = (ms: number): OrchestratorError =>
  new OrchestratorError(`No answer within ${ms} ms`, { code: 'TIMED_OUT', mayHaveArrived: true });

/** Resolves after a time. @throws the signal's reason, at once, when it is aborted */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      unfollow();
      resolve();
    }, ms);
    const unfollow = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    });
  });
}
