import type { CallResult } from './circuit.breaker.js';

/** How an attempt waits for its turn. */
export interface TurnWait {
  /** Monotonic milliseconds. */
  readonly deadline: number;
  /** What ends the wait; asked only when there is one. */
  readonly signals: () => readonly AbortSignal[];
  /** True for a task's first attempt. */
  readonly isFirst: boolean;
  /** True for a retry and for an asynchronous task: their number is bounded elsewhere, so no line is too long. */
  readonly isPatient: boolean;
}

/** A turn that must be given back. */
export interface Turn {
  readonly leave: (result: CallResult, durationMs: number) => void;
}

/** What stands between a call and the droplet that it is for. */
export interface Gate {
  /** A turn without any wait, or null: then one must be waited for. @throws CircuitOpenError, OverloadedError */
  enterNow(wait: TurnWait): Turn | null;

  /** Waits for a turn; null when the wait was cut short. @throws CircuitOpenError, OverloadedError */
  enter(wait: TurnWait): Promise<Turn | null>;

  /** True while no call passes. */
  readonly isShut: boolean;

  /** Charges a retry to the droplet's budget; false when that is spent. */
  takeRetry(): boolean;
}

const FREE: Turn = { leave: () => undefined };

/** A gate that is always open: the Registry and the receivers of callbacks have none. */
export const NO_GATE: Gate = {
  enterNow: () => FREE,
  enter: () => Promise.resolve(FREE),
  isShut: false,
  takeRetry: () => true,
};
