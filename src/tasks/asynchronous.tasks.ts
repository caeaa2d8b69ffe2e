import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { IdempotencyMismatchError, OrchestratorError, StorageUnavailableError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { Tracing } from '../tracing/tracing.js';
import { isoMs } from './instant.js';
import { IdempotencyKeys } from './idempotency.js';
import { QueueRoom } from './queue.room.js';
import { asynchronousPlan } from './retry.plan.js';
import type { SubmitTask } from './submit-task.dto.js';
import { TaskCaller } from './task.caller.js';
import { draftTask, requestOf, type Caller } from './task.draft.js';
import { TaskEvents } from './task.events.js';
import { newTaskId } from './task.id.js';
import { firstJob } from './task.jobs.js';
import { isFinal, type TaskRecord } from './task.js';
import { TaskStore, type Acceptance } from './task.store.js';

/** A wait looks by itself too: another process that ran the task may have told of its end before it knew that we listen. */
const LOOK_EVERY_MS = 1000;

/** What the caller of an asynchronous task gets: it is durable. */
export interface Receipt {
  readonly task: TaskRecord;
  readonly replayed: boolean;
}

/** Takes asynchronous tasks: durable before the receipt, run by the worker. */
@Injectable()
export class AsynchronousTasks {
  constructor(
    private readonly caller: TaskCaller,
    private readonly store: TaskStore,
    private readonly room: QueueRoom,
    private readonly keys: IdempotencyKeys,
    private readonly events: TaskEvents,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly tracing: Tracing,
  ) {}

  /** @throws InvalidRequestError, DropletNotFoundError, OverloadedError, IdempotencyMismatchError, StorageUnavailableError */
  async accept(submitted: SubmitTask, caller: Caller): Promise<Receipt> {
    if (!this.store.isWritable) throw new StorageUnavailableError();
    const acceptance = await this.prepareOrRefuse(submitted, caller);
    if (acceptance instanceof OrchestratorError) {
      const key = this.keys.keyOf(submitted, requestOf(submitted, caller), caller);
      return { task: await this.keys.earlier(key, acceptance), replayed: true };
    }
    const [accepted] = await this.room.fill(1, () => this.store.accept([acceptance]));
    if (accepted?.kind === 'mismatch') throw new IdempotencyMismatchError();
    if (accepted?.kind === 'replayed') return { task: accepted.task, replayed: true };
    this.events.publish(acceptance.task);
    return { task: acceptance.task, replayed: false };
  }

  /** Each task or why it was refused; those that are taken are made durable together. @throws OverloadedError, StorageUnavailableError */
  async acceptAll(
    submitted: readonly (SubmitTask | OrchestratorError)[],
    caller: Caller,
  ): Promise<(TaskRecord | OrchestratorError)[]> {
    if (!this.store.isWritable) throw new StorageUnavailableError();
    this.room.refuseIfFull(submitted.length);
    const unkeyed = { ...caller, idempotencyKey: null };
    const prepared = await Promise.all(submitted.map((task) => this.prepareOrRefuse(task, unkeyed)));
    const acceptances = prepared.flatMap((each) => (each instanceof OrchestratorError ? [] : [each]));
    await this.room.fill(acceptances.length, () => this.store.accept(acceptances));
    for (const { task } of acceptances) this.events.publish(task);
    return prepared.map((each) => (each instanceof OrchestratorError ? each : each.task));
  }

  /** The task once it is final, or as it stands after `ms` milliseconds; a caller that hangs up, and the shutdown, end the wait. */
  async waitFor(task: TaskRecord, ms: number, waitEnd: AbortSignal): Promise<TaskRecord> {
    const ended = new AbortController();
    const end = this.events.subscribe((event) => {
      if (event.task.id === task.id && isFinal(event.task.status)) ended.abort();
    });
    try {
      const until = this.clock.monotonic() + ms;
      let left = ms;
      let isCut = false;
      for (let known = task; ;) {
        known = await this.look(known);
        if (isFinal(known.status) || left <= 0 || isCut) return known;
        isCut = !(await this.clock.sleep(Math.min(left, LOOK_EVERY_MS), ended.signal, waitEnd));
        left = until - this.clock.monotonic();
      }
    } finally {
      end();
    }
  }

  /** The task as it is now. It is durable: a store that is away for a moment is no reason to tell its caller that it failed. */
  private async look(task: TaskRecord): Promise<TaskRecord> {
    try {
      return (await this.store.get(task.id)) ?? task;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) throw error;
      return task;
    }
  }

  private async prepareOrRefuse(
    submitted: SubmitTask | OrchestratorError,
    caller: Caller,
  ): Promise<Acceptance | OrchestratorError> {
    if (submitted instanceof OrchestratorError) return submitted;
    try {
      return await this.prepare(submitted, caller);
    } catch (error) {
      if (error instanceof OrchestratorError) return error;
      throw error;
    }
  }

  private async prepare(submitted: SubmitTask, caller: Caller): Promise<Acceptance> {
    this.room.refuseIfFull(1);
    const { target } = await this.caller.resolve(submitted.droplet_name, submitted.path);
    const asked = requestOf(submitted, caller);
    const request = this.tracing.spans?.toStore(asked) ?? asked;
    const id = newTaskId();
    const now = this.clock.now();
    const waitMs = waitOf(submitted, now);
    const given = { caller: caller.identity.name, targetUrl: target.url, runAt: now + waitMs, request };
    const task = draftTask(id, submitted, { status: 'queued', ...given });
    const { timeoutMs } = asynchronousPlan(request, this.settings, this.caller.policyOf(task.dropletName));
    return {
      task,
      job: firstJob(task, this.clock.steady() + waitMs, timeoutMs),
      key: this.keys.keyOf(submitted, request, caller),
    };
  }
}

/** How long a task waits for its first attempt, ms; a time in the past means now. */
function waitOf({ delay_ms, run_at }: SubmitTask, now: number): number {
  const runAt = isoMs(run_at);
  return runAt === null ? (delay_ms ?? 0) : Math.max(0, runAt - now);
}
