import { Injectable } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { Clock } from '../common/clock.js';
import { stringifyWith } from '../common/json.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { iso } from '../common/time.js';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { Metrics } from '../metrics/metrics.js';
import type { Outcome } from '../outbound/outcome.js';
import { isSuccess } from '../outbound/outcome.js';
import type { Step } from '../outbound/execution.js';
import type { OutboundCall } from '../outbound/outbound.call.js';
import { RetryPolicy } from '../outbound/retry.policy.js';
import { callbackTarget } from './callback.url.js';
import { ResultKeeper } from './result.keeper.js';
import { asynchronousPlan, NO_WISHES } from './retry.plan.js';
import { nextAttemptJob } from './task.jobs.js';
import type { Claim, Job } from './task.queue.js';
import type { TaskRecord, TaskRequest } from './task.js';
import { TaskStore, type CallbackSettlement } from './task.store.js';
import { recordText } from './task.view.js';

/** What is read of a receiver's answer: it is thrown away. */
const ANSWER_LIMIT = 64 * 1024;

/** Tells the caller's URL that a task has ended: signed, retried like a task, with an outcome of its own; contract §7. */
@Injectable()
export class CallbackDelivery {
  private readonly signers: readonly Webhook[];
  /** Steady epoch milliseconds. */
  private readonly startedAt: number;

  constructor(
    private readonly policy: RetryPolicy,
    private readonly store: TaskStore,
    private readonly keeper: ResultKeeper,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {
    this.signers = settings.CALLBACK_SECRET.map((secret) => new Webhook(secret));
    this.startedAt = clock.steady();
  }

  /** Makes one delivery attempt of a callback job. */
  async deliver(task: TaskRecord, job: Job, { abort, lease }: Claim): Promise<void> {
    const { request, callback } = task;
    if (!request?.callbackUrl || !callback) return;
    const step = await this.attempt(task, request, job, AbortSignal.any([abort, this.lifecycle.aborting]));
    // It passes no gate, so it is never taken back while it waits for its turn.
    if (!step) return;
    const { made, verdict } = step;
    const { outcome } = made;
    const isTakenBack = outcome.kind === 'aborted';
    const attempts = callback.attempts + (isTakenBack ? 0 : 1);
    const next = isTakenBack
      ? { ...job, dueAt: this.clock.steady() }
      : verdict.again
        ? nextAttemptJob(job, this.clock.steady(), verdict)
        : null;
    const status = isSuccess(outcome) ? 'delivered' : next ? 'pending' : 'failed';
    await this.settle(task, { callback: { status, attempts, last_error: reasonOf(outcome) }, next, lease });
  }

  private attempt(task: TaskRecord, request: TaskRequest, job: Job, abort: AbortSignal): Promise<Step | null> {
    // While no process lived, none could deliver: what waited for that has its whole time from the start on.
    const deadlineAt = Math.max(job.deadlineAt, this.startedAt + this.settings.ASYNC_TASK_TIMEOUT);
    const deadline = this.clock.monotonic() + deadlineAt - this.clock.steady();
    const attempt = (task.callback?.attempts ?? 0) + 1;
    const plan = asynchronousPlan(NO_WISHES, this.settings);
    return this.policy.step(
      this.call(task, request.callbackUrl ?? ''),
      plan,
      { attempt, attemptsBefore: 0, deadline, delayMs: job.delayMs },
      abort,
    );
  }

  private call(task: TaskRecord, url: string): OutboundCall {
    const now = this.clock.now();
    const body = stringifyWith({ type: `task.${task.status}`, timestamp: iso(now) }, { data: recordText(task) });
    const sentAt = new Date(now);
    return {
      method: 'POST',
      target: () => callbackTarget(url),
      headers: () => ({
        'content-type': 'application/json',
        'accept-encoding': 'identity',
        'user-agent': `fpai-orchestrator/${VERSION}`,
        'webhook-id': task.id,
        'webhook-timestamp': String(Math.floor(now / 1000)),
        'webhook-signature': this.signers.map((signer) => signer.sign(task.id, sentAt, body)).join(' '),
      }),
      body,
      responseLimit: ANSWER_LIMIT,
      publicOnly: !this.settings.CALLBACK_ALLOW_PRIVATE,
    };
  }

  private async settle(task: TaskRecord, settlement: CallbackSettlement): Promise<void> {
    const { status, attempts, last_error } = settlement.callback;
    this.log.info({ task_id: task.id, status, attempts, reason: last_error }, 'callback attempted');
    this.metrics.callbackTried(status === 'pending' ? 'postponed' : status);
    await this.keeper.keep(task.id, () => this.store.settleCallback(task.id, settlement));
  }
}

function reasonOf(outcome: Outcome): string | null {
  if (isSuccess(outcome)) return null;
  return outcome.kind === 'answered' ? `The receiver answered HTTP ${outcome.status}` : outcome.message;
}
