import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CircuitOpenError, OverloadedError } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Settings } from '../config/settings.js';
import type { Step } from '../outbound/execution.js';
import { effectOf, isRepeatable } from '../outbound/failure-class.js';
import { Tracing } from '../tracing/tracing.js';
import { CallbackDelivery } from './callback.delivery.js';
import { ResultKeeper } from './result.keeper.js';
import { RunningTasks } from './running.tasks.js';
import { storedBody } from './stored.body.js';
import { TaskCaller, type CallableTask } from './task.caller.js';
import { callbackJob, dropletOf, laterJob, nextAttemptJob } from './task.jobs.js';
import { TaskRecovery } from './task.recovery.js';
import { TaskJournal } from './task.journal.js';
import { TaskQueue, type Claim, type Job, type LaneRoom } from './task.queue.js';
import { afterAttempt, cancelledResult, deadlineResult, interruptedResult, type TaskResult } from './task.result.js';
import type { TaskChange, TaskRecord } from './task.js';
import { TaskStore } from './task.store.js';

type RunnableTask = TaskRecord & CallableTask;

/** A task over which a process has died this often is not run again: it may be what kills it. */
const MAX_INTERRUPTIONS = 3;

/** A retry that the budget has nothing left for asks again after this, or up to twice as long. */
const UNCHARGED_WAIT_MS = 5000;

/** A task that is being run, with what it is run by. */
interface Run {
  readonly task: RunnableTask;
  readonly job: Job;
  readonly claim: Claim;
}

/** Runs asynchronous tasks: one attempt for each job; the waits between them stand in the store. */
@Injectable()
export class TaskWorker implements OnApplicationBootstrap {
  constructor(
    private readonly queue: TaskQueue,
    private readonly store: TaskStore,
    private readonly caller: TaskCaller,
    private readonly callbacks: CallbackDelivery,
    private readonly recovery: TaskRecovery,
    private readonly cancelled: RunningTasks,
    private readonly keeper: ResultKeeper,
    private readonly journal: TaskJournal,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly tracing: Tracing,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.lifecycle.draining.addEventListener('abort', () => this.queue.stop());
    await this.recovery.start();
    this.queue.work(
      (job, claim) => this.lifecycle.during(() => this.handle(job, claim)),
      (lane) => this.roomOf(lane),
    );
  }

  /** Callbacks have no limits but the queue's own. */
  private roomOf(lane: string): LaneRoom {
    const droplet = dropletOf(lane);
    const { DROPLET_MAX_IN_FLIGHT: most } = this.settings;
    return droplet === null ? { most, now: most, askAgainMs: 0 } : this.caller.roomOf(droplet);
  }

  private async handle(job: Job, claim: Claim): Promise<void> {
    const { task } = claim;
    if (job.kind === 'callback') return this.callbacks.deliver(task, job, claim);
    const { request } = task;
    if (!request) throw new Error('a task that waits has lost its request');
    this.journal.announce(task);
    try {
      const run = { task: { ...task, request }, job, claim };
      const { spans } = this.tracing;
      await (spans ? spans.task(task, () => this.runOnce(run), request) : this.runOnce(run));
    } finally {
      this.cancelled.forget(task.id);
    }
  }

  private async runOnce(run: Run): Promise<void> {
    const { task, job } = run;
    const most = mayBeRepeated(task) ? MAX_INTERRUPTIONS : 1;
    if (job.interruptions >= most) return this.finish(run, interruptedResult(task, job.interruptions));
    if (this.clock.steady() >= job.deadlineAt) return this.finish(run, deadlineResult(task));
    if (!job.isCharged && !this.caller.takeRetry(task.dropletName)) return this.putOff(run, UNCHARGED_WAIT_MS);
    await this.attemptOnce({ ...run, job: { ...job, isCharged: true } });
  }

  private async attemptOnce(run: Run): Promise<void> {
    const { task, job } = run;
    this.journal.attemptBegins(task, job.dueAt);
    const step = await this.attempt(run);
    if (step instanceof CircuitOpenError) return this.putOff(run, step.retryAfterMs);
    if (step instanceof OverloadedError) return this.finish(run, deadlineResult(task));
    if (!step || step.made.outcome.kind === 'aborted') return this.takenBack(run, step);
    await this.attempted(run, step);
  }

  private async attempted(run: Run, step: Step): Promise<void> {
    const { task } = run;
    const result = afterAttempt(task, step, this.caller.statusOf(task.dropletName));
    if (step.verdict.again) await this.postpone(run, result, step.verdict);
    else await this.finish(run, result);
  }

  /** One attempt, null when it was taken back before its turn, or why none may be made now. */
  private async attempt({ task, job, claim }: Run): Promise<Step | CircuitOpenError | OverloadedError | null> {
    const { deadlineAt, attemptsBefore, delayMs } = job;
    const deadline = this.clock.monotonic() + deadlineAt - this.clock.steady();
    const progress = { attempt: task.attempts + 1, attemptsBefore, deadline, delayMs };
    try {
      return await this.caller.step(task, progress, AbortSignal.any([claim.abort, this.lifecycle.aborting]));
    } catch (error) {
      if (error instanceof CircuitOpenError || error instanceof OverloadedError) return error;
      throw error;
    }
  }

  /** The droplet may not be called now: the task waits, with no attempt spent. */
  private async putOff(run: Run, ms: number): Promise<void> {
    const spread = ms * (1 + this.clock.random());
    await this.settle(run, { status: 'queued' }, laterJob(run.job, this.clock.steady(), spread));
  }

  /** What the attempt came to stays with the task: it stands if no other follows. */
  private async postpone(run: Run, result: TaskResult, retry: Step['verdict'] & { again: true }): Promise<void> {
    const next = nextAttemptJob(run.job, this.clock.steady(), retry);
    const responseBody = storedBody(result.responseBody, this.settings.STORED_RESPONSE_LIMIT);
    const { spans } = this.tracing;
    const traced = spans ? { request: spans.toStore(run.task.request) } : {};
    await this.settle(run, { ...result, ...traced, status: 'queued', responseBody }, next);
  }

  /**
   * Cut off by a cancel, which ends the task, or by the shutdown, which gives it back with no attempt spent, unless it may
   * have taken effect and must not do so twice.
   */
  private async takenBack(run: Run, step: Step | null): Promise<void> {
    const { task, job } = run;
    if (this.cancelled.isCancelled(task.id)) return this.finish(run, cancelledResult(task, step?.made));
    const isDoubtful = step !== null && effectOf([step.made.outcome]) === 'unknown';
    if (isDoubtful && !mayBeRepeated(task)) return this.attempted(run, step);
    await this.settle(run, { status: 'queued' }, { ...job, dueAt: this.clock.steady() });
  }

  private async finish(run: Run, result: TaskResult): Promise<void> {
    const { task } = run;
    await this.settle(run, this.journal.ending(task, result), callbackJob(task, this.clock.steady(), this.settings));
  }

  private async settle({ task, claim }: Run, change: TaskChange, next: Job | null): Promise<void> {
    const settlement = { change, next, from: ['running'], lease: claim.lease } as const;
    const settled = await this.keeper.keep(task.id, () => this.store.settle(task.id, settlement));
    if (!settled) return;
    this.tracing.spans?.stands(settled);
    this.journal.changed(settled, task.request.requestId);
  }
}

/** May the task be sent again when nobody knows whether it took effect? */
const mayBeRepeated = ({ method, request }: RunnableTask): boolean => isRepeatable(method, request.retryUnsafe ?? true);
