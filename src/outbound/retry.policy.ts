import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import type { AxiosResponse } from 'axios';
import { Clock } from '../common/clock.js';
import { OrchestratorError } from '../common/errors.js';
import { backoffMs, type Backoff } from './backoff.js';
import { Exchange } from './exchange.js';
import { isRetryable } from './failure-class.js';
import { isSuccess, type Outcome } from './outcome.js';
import { retryAfterMs } from './retry-after.js';
import type { Target } from './target-url.js';

/** What stopped further attempts after a failure that deserved one. */
export type StoppedBy = 'attempts' | 'deadline';

/** What one attempt is told: its number from 1, and the time left for the whole call. */
export interface AttemptInfo {
  readonly attempt: number;
  readonly remainingMs: number;
}

/** One call, made up to `plan.maxAttempts` times. Target and headers are asked anew for each attempt. */
export interface OutboundCall {
  readonly method: string;
  /** May throw an OrchestratorError: then the attempt counts as not sent. */
  readonly target: () => Target;
  readonly headers: (info: AttemptInfo) => Readonly<Record<string, string>>;
  /** JSON text, or null for no body. */
  readonly body: string | null;
  /** Bytes of answer that are read at the most. */
  readonly responseLimit: number;
  /** True when private and loopback addresses are refused too: the address is a caller's own word. */
  readonly publicOnly?: boolean;
}

/** How often and how long to try; milliseconds. */
export interface RetryPlan {
  /** All attempts, the first included. */
  readonly maxAttempts: number;
  /** The deadline of the whole call: attempts and waits. */
  readonly timeoutMs: number;
  /** One attempt, body included. */
  readonly attemptTimeoutMs: number;
  readonly backoff: Backoff;
  /** May a POST or PATCH be repeated when it is unknown whether it took effect? */
  readonly retryUnsafe: boolean;
}

/** How a call can be taken back from outside. */
export interface Cancellation {
  /** The running attempt goes on, a wait ends at once, no further attempt starts. */
  readonly stop: readonly AbortSignal[];
  /** The running attempt is cut off. */
  readonly abort: AbortSignal;
}

/** One attempt as it was made. */
export interface AttemptRecord {
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The wait before it. */
  readonly delayMs: number;
  /** Null when there was nowhere to send it. */
  readonly target: Target | null;
  readonly outcome: Outcome;
}

/** A finished call: the last attempt made decides. */
export interface Execution {
  readonly outcome: Outcome;
  readonly attempts: readonly AttemptRecord[];
  readonly stoppedBy: StoppedBy | null;
}

/** How far a call has come. */
export interface Progress {
  /** The number of the attempt to make, from 1. */
  readonly attempt: number;
  /** Of those, the attempts that do not count any more: the call was begun anew after them. */
  readonly attemptsBefore: number;
  /** When the whole call is over; monotonic milliseconds. */
  readonly deadline: number;
  /** The wait before this attempt. */
  readonly delayMs: number;
}

/** Whether to call again, after which wait; or what stopped that. */
export type Verdict =
  { readonly again: true; readonly delayMs: number } | { readonly again: false; readonly stoppedBy: StoppedBy | null };

/** One attempt, and what is to come of it. */
export interface Step {
  readonly made: AttemptRecord;
  readonly verdict: Verdict;
}

const OVER: Verdict = { again: false, stoppedBy: null };

/**
 * The only door out: every outbound call of the process goes through it, with the retries of contract §6.
 * It does not throw for what the other side does.
 */
@Injectable()
export class RetryPolicy {
  constructor(
    private readonly http: HttpService,
    private readonly clock: Clock,
  ) {}

  /** Makes the call to its end: attempts and the waits between them. */
  async execute(call: OutboundCall, plan: RetryPlan, { stop, abort }: Cancellation): Promise<Execution> {
    const deadline = this.clock.monotonic() + plan.timeoutMs;
    const attempts: AttemptRecord[] = [];
    for (let delayMs = 0; ;) {
      const progress = { attempt: attempts.length + 1, attemptsBefore: 0, deadline, delayMs };
      const { made, verdict } = await this.step(call, plan, progress, abort);
      attempts.push(made);
      if (!verdict.again) return { outcome: made.outcome, attempts, stoppedBy: verdict.stoppedBy };
      delayMs = verdict.delayMs;
      const waited = await this.clock.sleep(delayMs, abort, ...stop);
      if (!waited) return { outcome: made.outcome, attempts, stoppedBy: null };
    }
  }

  /** Makes one attempt of a call whose waits somebody else keeps, and says what is to come of it. */
  async step(call: OutboundCall, plan: RetryPlan, progress: Progress, abort: AbortSignal): Promise<Step> {
    const made = await this.attempt(call, plan, progress, abort);
    return { made, verdict: this.judge(call, plan, made, progress) };
  }

  /** Whether and when to call again after an attempt. */
  private judge(call: OutboundCall, plan: RetryPlan, { outcome }: AttemptRecord, progress: Progress): Verdict {
    const attempt = progress.attempt - progress.attemptsBefore;
    if (isSuccess(outcome)) return OVER;
    if (!isRetryable(outcome, call.method, plan.retryUnsafe)) return OVER;
    const left = progress.deadline - this.clock.monotonic();
    if (left <= 0) return { again: false, stoppedBy: 'deadline' };
    if (attempt >= plan.maxAttempts) return { again: false, stoppedBy: 'attempts' };
    const asked = outcome.kind === 'answered' ? retryAfterMs(outcome.headers['retry-after'], this.clock.now()) : 0;
    const delayMs = Math.max(
      asked,
      backoffMs(plan.backoff, attempt, () => this.clock.random()),
    );
    return delayMs >= left ? { again: false, stoppedBy: 'deadline' } : { again: true, delayMs };
  }

  private async attempt(
    call: OutboundCall,
    plan: RetryPlan,
    { attempt, deadline, delayMs }: Progress,
    abort: AbortSignal,
  ): Promise<AttemptRecord> {
    const startedAt = this.clock.now();
    const start = this.clock.monotonic();
    const remainingMs = Math.max(1, Math.ceil(deadline - start));
    const target = resolved(call.target);
    if (target instanceof OrchestratorError) {
      const outcome = { kind: 'not-sent', message: target.message } as const;
      return { attempt, startedAt, durationMs: 0, delayMs, target: null, outcome };
    }
    const { method, body, responseLimit, publicOnly = false } = call;
    const headers = call.headers({ attempt, remainingMs });
    const exchange = new Exchange({ ...target, method, headers, body, responseLimit, publicOnly });
    const outcome = await this.send(exchange, Math.min(plan.attemptTimeoutMs, remainingMs), abort);
    return { attempt, startedAt, durationMs: this.clock.monotonic() - start, delayMs, target, outcome };
  }

  private async send(exchange: Exchange, timeoutMs: number, abort: AbortSignal): Promise<Outcome> {
    const onAbort = (): void => exchange.cut('aborted', 'The call was aborted');
    const cancelTimer = this.clock.after(timeoutMs, () => exchange.cut('timed-out', `Timeout after ${timeoutMs} ms`));
    abort.addEventListener('abort', onAbort);
    if (abort.aborted) onAbort();
    try {
      const { data } = await this.http.axiosRef.request<Outcome, AxiosResponse<Outcome>>({ exchange });
      return data;
    } finally {
      cancelTimer();
      abort.removeEventListener('abort', onAbort);
    }
  }
}

function resolved(target: () => Target): Target | OrchestratorError {
  try {
    return target();
  } catch (error) {
    if (error instanceof OrchestratorError) return error;
    throw error;
  }
}
