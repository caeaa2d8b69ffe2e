import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import type { AxiosResponse } from 'axios';
import { Clock } from '../common/clock.js';
import { CircuitOpenError, OrchestratorError, OverloadedError } from '../common/errors.js';
import { backoffMs } from './backoff.js';
import { Exchange } from './exchange.js';
import { callResultOf, isFailedAttempt, isRetryable } from './failure-class.js';
import type { AttemptRecord, Execution, Step, StoppedBy, Verdict } from './execution.js';
import { NO_GATE } from './gate.js';
import type { Cancellation, OutboundCall, Progress, RetryPlan } from './outbound.call.js';
import { isSuccess, type Outcome } from './outcome.js';
import { ResponseMemory } from './response.memory.js';
import { retryAfterMs } from './retry-after.js';
import type { Target } from './target-url.js';

/** A call that was taken back before any attempt was made. */
const TAKEN_BACK = { kind: 'aborted', sent: false, message: 'The call was taken back before it was its turn' } as const;

const OVER: Verdict = { again: false, stoppedBy: null };

/**
 * The only door out: every outbound call of the process goes through it, with the retries of contract §6.
 * It does not throw for what the other side does.
 */
@Injectable()
export class RetryPolicy {
  constructor(
    private readonly http: HttpService,
    private readonly memory: ResponseMemory,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the call to its end: attempts and the waits between them.
   * @throws CircuitOpenError, OverloadedError before the first attempt, never after
   */
  async execute(call: OutboundCall, plan: RetryPlan, { stop, abort }: Cancellation): Promise<Execution> {
    const deadline = this.clock.monotonic() + plan.timeoutMs;
    const attempts: AttemptRecord[] = [];
    for (let delayMs = 0; ;) {
      const progress = { attempt: attempts.length + 1, attemptsBefore: 0, deadline, delayMs };
      const last = attempts.at(-1);
      let step: Step | null = null;
      let stoppedBy: StoppedBy | null = null;
      try {
        step = await this.stepIn(call, plan, progress, { stop, abort });
      } catch (error) {
        stoppedBy = stopOf(error, last);
      }
      if (!step) {
        // The caller is gone, or the process ends: nothing was done, so there is nothing to tell but to come again.
        if (!last && !abort.aborted) throw new OverloadedError(TAKEN_BACK.message);
        return { outcome: last?.outcome ?? TAKEN_BACK, attempts, stoppedBy };
      }
      const { made, verdict } = step;
      attempts.push(made);
      if (!verdict.again) return { outcome: made.outcome, attempts, stoppedBy: verdict.stoppedBy };
      delayMs = verdict.delayMs;
      const waited = await this.clock.sleep(delayMs, abort, ...stop());
      if (!waited) return { outcome: made.outcome, attempts, stoppedBy: null };
    }
  }

  /**
   * Makes one attempt of a call whose waits somebody else keeps, and says what is to come of it; null when it was taken
   * back before it was its turn.
   * @throws CircuitOpenError when the call may not be made now, OverloadedError when the deadline passed in the line
   */
  step(call: OutboundCall, plan: RetryPlan, progress: Progress, abort: AbortSignal): Promise<Step | null> {
    return this.stepIn(call, plan, progress, { stop: () => [], abort });
  }

  /** An attempt, once it is its turn, and what is to come of it; null when the call was taken back before. */
  private async stepIn(
    call: OutboundCall,
    plan: RetryPlan,
    progress: Progress,
    { stop, abort }: Cancellation,
  ): Promise<Step | null> {
    const { gate = NO_GATE } = call;
    const isFirst = progress.attempt - progress.attemptsBefore === 1;
    const isPatient = plan.isPatient || !isFirst;
    const wait = { deadline: progress.deadline, signals: () => [abort, ...stop()], isFirst, isPatient };
    const turn = gate.enterNow(wait) ?? (await gate.enter(wait));
    if (!turn) return null;
    const start = this.clock.monotonic();
    const isCutShort = progress.deadline - start < plan.attemptTimeoutMs;
    let made: AttemptRecord | null = null;
    try {
      made = await this.attempt(call, plan, progress, abort);
    } finally {
      // Where there was nowhere to send it, nobody was called.
      const result = made?.target ? callResultOf(made.outcome, isCutShort) : 'neutral';
      turn.leave(result, this.clock.monotonic() - start);
    }
    call.onMade?.(made);
    return { made, verdict: this.judge(call, plan, made, progress) };
  }

  /** Whether and when to call again after an attempt. */
  private judge(call: OutboundCall, plan: RetryPlan, { outcome }: AttemptRecord, progress: Progress): Verdict {
    const attempt = progress.attempt - progress.attemptsBefore;
    if (isSuccess(outcome)) return OVER;
    if (!isRetryable(outcome, call.method, plan)) return OVER;
    const left = progress.deadline - this.clock.monotonic();
    if (left <= 0) return { again: false, stoppedBy: 'deadline' };
    if (attempt >= plan.maxAttempts) return { again: false, stoppedBy: 'attempts' };
    const asked = outcome.kind === 'answered' ? retryAfterMs(outcome.headers['retry-after'], this.clock.now()) : 0;
    const delayMs = Math.max(
      asked,
      backoffMs(plan.backoff, attempt, () => this.clock.random()),
    );
    if (delayMs >= left) return { again: false, stoppedBy: 'deadline' };
    return plan.isPatient ? this.putOff(call, plan, delayMs) : this.retryNow(call, delayMs);
  }

  /** Somebody waits: what stops the retry now stops it for good. */
  private retryNow({ gate = NO_GATE }: OutboundCall, delayMs: number): Verdict {
    if (gate.isShut) return { again: false, stoppedBy: 'breaker' };
    return gate.takeRetry() ? { again: true, delayMs, isCharged: true } : { again: false, stoppedBy: 'budget' };
  }

  /** Nobody waits: a retry for which the budget has nothing left asks again later. */
  private putOff({ gate = NO_GATE }: OutboundCall, { backoff }: RetryPlan, delayMs: number): Verdict {
    const isCharged = gate.takeRetry();
    return { again: true, delayMs: isCharged ? delayMs : Math.max(delayMs, backoff.maxMs), isCharged };
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
      return { attempt, startedAt, durationMs: 0, delayMs, target: null, outcome, isFailed: true };
    }
    const { method, body, responseLimit, publicOnly = false } = call;
    const headers = call.headers({ attempt, remainingMs });
    const exchange = new Exchange({ ...target, method, headers, body, responseLimit, publicOnly, memory: this.memory });
    const letRun = this.cutAfter(exchange, Math.min(plan.attemptTimeoutMs, remainingMs), abort);
    try {
      const { data: outcome } = await this.http.axiosRef.request<Outcome, AxiosResponse<Outcome>>({ exchange });
      const durationMs = this.clock.monotonic() - start;
      return { attempt, startedAt, durationMs, delayMs, target, outcome, isFailed: isFailedAttempt(outcome, plan.retryStatuses) };
    } finally {
      letRun();
    }
  }

  /** Cuts an exchange off when its time is over, or when it is aborted; the returned function takes that back. */
  private cutAfter(exchange: Exchange, timeoutMs: number, abort: AbortSignal): () => void {
    const onAbort = (): void => exchange.cut('aborted', 'The call was aborted');
    const cancelTimer = this.clock.after(timeoutMs, () => exchange.cut('timed-out', `Timeout after ${timeoutMs} ms`));
    abort.addEventListener('abort', onAbort);
    if (abort.aborted) onAbort();
    return () => {
      cancelTimer();
      abort.removeEventListener('abort', onAbort);
    };
  }
}

/** What stops a retry that was refused. @throws what it was refused with, when it was the first attempt or a fault of ours */
function stopOf(refusal: unknown, last: AttemptRecord | undefined): StoppedBy {
  if (!last || !(refusal instanceof OrchestratorError)) throw refusal;
  return refusal instanceof CircuitOpenError ? 'breaker' : 'deadline';
}

function resolved(target: () => Target): Target | OrchestratorError {
  try {
    return target();
  } catch (error) {
    if (error instanceof OrchestratorError) return error;
    throw error;
  }
}
