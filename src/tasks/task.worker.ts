import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Settings } from '../config/settings.js';
import type { AttemptRecord, Step } from '../outbound/retry.policy.js';
import { CallbackDelivery } from './callback.delivery.js';
import { ResultKeeper } from './result.keeper.js';
import { RunningTasks } from './running.tasks.js';
import { TaskCaller, type CallableTask } from './task.caller.js';
import { callbackJob, nextAttemptJob } from './task.jobs.js';
import { TaskRecovery } from './task.recovery.js';
import { TaskJournal } from './task.journal.js';
import { TaskQueue, type Job } from './task.queue.js';
import { afterAttempt, cancelledResult, deadlineResult, type TaskResult } from './task.result.js';
import type { TaskChange, TaskRecord } from './task.js';
import { TaskStore } from './task.store.js';

type RunnableTask = TaskRecord & CallableTask;

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
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.lifecycle.draining.addEventListener('abort', () => this.queue.stop());
    await this.recovery.run();
    this.queue.work((job, abort) => this.lifecycle.during(() => this.handle(job, abort)));
  }

  private async handle(job: Job, abort: AbortSignal): Promise<void> {
    const task = await this.store.get(job.id);
    if (!task) return;
    if (job.kind === 'callback') return this.callbacks.deliver(task, job, abort);
    const { request } = task;
    if (task.status !== 'running' || !request) return;
    this.journal.announce(task);
    await this.runOnce({ ...task, request }, job, abort);
  }

  private async runOnce(task: RunnableTask, job: Job, abort: AbortSignal): Promise<void> {
    if (this.clock.now() >= job.deadlineAt) return this.finish(task, deadlineResult(task));
    const step = await this.attempt(task, job, AbortSignal.any([abort, this.lifecycle.aborting]));
    if (step.made.outcome.kind === 'aborted') return this.takenBack(task, job, step.made);
    const result = afterAttempt(task, step, this.caller.statusOf(task.dropletName));
    if (step.verdict.again) await this.postpone(task, job, result, step.verdict.delayMs);
    else await this.finish(task, result);
  }

  private attempt(task: RunnableTask, { deadlineAt, attemptsBefore, delayMs }: Job, abort: AbortSignal): Promise<Step> {
    const deadline = this.clock.monotonic() + deadlineAt - this.clock.now();
    return this.caller.step(task, { attempt: task.attempts + 1, attemptsBefore, deadline, delayMs }, abort);
  }

  private async postpone(task: RunnableTask, job: Job, result: TaskResult, delayMs: number): Promise<void> {
    const next = nextAttemptJob(job, this.clock.now(), delayMs);
    await this.settle(task, { ...result, status: 'queued', error: null, responseStatus: null, responseBody: 'null' }, next);
  }

  /** Cut off by a cancel, which ends the task, or by the shutdown, which gives it back with no attempt spent. */
  private async takenBack(task: RunnableTask, job: Job, made: AttemptRecord): Promise<void> {
    if (this.cancelled.isCancelled(task.id)) return this.finish(task, cancelledResult(task, made));
    await this.settle(task, { status: 'queued' }, { ...job, dueAt: this.clock.now() });
  }

  private async finish(task: RunnableTask, result: TaskResult): Promise<void> {
    await this.settle(task, this.journal.ending(task, result), callbackJob(task, this.clock.now(), this.settings));
  }

  private async settle(task: RunnableTask, change: TaskChange, next: Job | null): Promise<void> {
    const settled = await this.keeper.keep(task.id, () => this.store.settle(task.id, { change, next, from: ['running'] }));
    if (settled) this.journal.changed(settled, task.request.requestId);
  }
}
