import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Identity } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { ConflictError, ForbiddenError, TaskNotFoundError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { instantMs } from './instant.js';
import { QueueRoom } from './queue.room.js';
import { Replicas } from './replicas.js';
import { asynchronousPlan } from './retry.plan.js';
import type { RetryTasks } from './retry-tasks.dto.js';
import { RunningTasks } from './running.tasks.js';
import { TaskCaller } from './task.caller.js';
import { TaskEvents } from './task.events.js';
import { callbackJob, firstJob } from './task.jobs.js';
import { TaskJournal } from './task.journal.js';
import { FINAL_STATUSES, isFinal, TASK_STATUSES, type TaskChange, type TaskRecord, type TaskStatus } from './task.js';
import { isVisible, mayRunAgain, ownTasks } from './task.owner.js';
import { TaskQueue } from './task.queue.js';
import { cancelledResult } from './task.result.js';
import { TaskStore, type TaskQuery } from './task.store.js';

/** How long a cancel waits for the call that it has cut off to be recorded. */
const RECORDED_WITHIN_MS = 2000;
/** Tasks that one page of a retry of many looks at. */
const PAGE = 200;
const DEFAULT_LIMIT = 1000;
/** What a retry of many means when it names no status: what failed, not what somebody took back. */
const RETRIED_STATUSES = ['error', 'timeout'] as const;

/** Takes tasks back, or runs them again. */
@Injectable()
export class TaskControl implements OnModuleInit {
  constructor(
    private readonly store: TaskStore,
    private readonly queue: TaskQueue,
    private readonly room: QueueRoom,
    private readonly running: RunningTasks,
    private readonly replicas: Replicas,
    private readonly events: TaskEvents,
    private readonly journal: TaskJournal,
    private readonly caller: TaskCaller,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.replicas.onCutOff((id) => this.cutOff(id));
  }

  /**
   * Cancels a task: a queued one is never sent, a running one is cut off.
   * @throws TaskNotFoundError, also for a task of somebody else, ConflictError when it is final
   */
  async cancel(id: string, identity: Identity): Promise<TaskRecord> {
    const status = await this.refuseToCancel(id, identity);
    // What waits runs nowhere: nobody is asked. If it was claimed meanwhile, it is cut off as if it had run all along.
    const waited = status === 'queued' ? await this.cancelFrom(id, ['queued']) : null;
    if (waited) return waited;
    const ended = await this.cutOffAnywhere(id);
    if (ended?.status === 'cancelled') return ended;
    // The attempt may have been over when it was cut off: then the task waits for its next one, or is final.
    const cancelled = await this.cancelFrom(id, TASK_STATUSES);
    if (cancelled) return cancelled;
    throw new ConflictError(`The task is ${(await this.existing(id)).status}: it cannot be cancelled any more`);
  }

  /** Runs a final, unsuccessful task again under its id. @throws TaskNotFoundError, ForbiddenError, ConflictError, OverloadedError */
  async retry(id: string, identity: Identity): Promise<TaskRecord> {
    const known = await this.existing(id);
    if (!isVisible(known, identity)) throw new TaskNotFoundError(id);
    if (!mayRunAgain(known, identity)) throw ForbiddenError.droplet();
    const retried = await this.retryAt(id, this.clock.steady());
    if (retried) return retried;
    const task = await this.existing(id);
    throw new ConflictError(
      task.status === 'success' || (task.request && !task.request.lacksCredentials)
        ? `A task that is ${task.status} cannot be run again`
        : 'The request was not kept whole, so it cannot be run again',
    );
  }

  /**
   * Runs every match again that may be and that the queue has room for, at a rate: those of one status after the other, of
   * each the newest first. Resolves to how many. @throws OverloadedError when there is room for none
   */
  async retryMany({ limit, rate_per_second, ...filters }: RetryTasks, identity: Identity): Promise<number> {
    const start = this.clock.steady();
    const gapMs = rate_per_second === null ? 0 : 1000 / rate_per_second;
    let scheduled = 0;
    for await (const id of this.matches(filters, identity)) {
      if (scheduled >= (limit ?? DEFAULT_LIMIT)) break;
      if (scheduled > 0 && !this.room.hasFor(1)) break;
      const retried = await this.retryAt(id, start + Math.floor(scheduled * gapMs));
      if (retried) scheduled++;
    }
    return scheduled;
  }

  private async *matches(filters: Omit<RetryTasks, 'limit' | 'rate_per_second'>, identity: Identity): AsyncGenerator<string> {
    for (const status of filters.status === null ? RETRIED_STATUSES : [filters.status]) {
      const query = { ...queryOf(filters), ...ownTasks(identity), status, limit: PAGE };
      for (let cursor: string | undefined, hasMore = true; hasMore;) {
        const page = await this.store.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
        for (const task of page.tasks) if (mayRunAgain(task, identity)) yield task.id;
        cursor = page.tasks.at(-1)?.id;
        hasMore = page.hasMore;
      }
    }
  }

  /** @param dueAt steady epoch ms */
  private async retryAt(id: string, dueAt: number): Promise<TaskRecord | null> {
    const task = await this.store.get(id);
    if (!task?.request || task.request.lacksCredentials || !isFinal(task.status) || task.status === 'success') return null;
    this.room.refuseIfFull(1);
    const { timeoutMs } = asynchronousPlan(task.request, this.settings, this.caller.policyOf(task.dropletName));
    const change: TaskChange = {
      status: 'queued',
      ...{ error: null, responseStatus: null, responseBody: 'null', completedAt: null, durationMs: null },
      ...{ runAt: this.clock.now() + dueAt - this.clock.steady(), callback: null },
    };
    const settlement = { change, next: firstJob(task, dueAt, timeoutMs), from: FINAL_STATUSES };
    const queued = await this.room.fill(1, () => this.store.settle(id, settlement));
    if (queued) this.events.publish(queued);
    return queued;
  }

  /** Cuts off the call of a task if it runs in this process; true if so. */
  private cutOff(id: string): boolean {
    if (this.running.cancel(id) || this.queue.abort(id)) return true;
    this.running.forget(id);
    return false;
  }

  /** The cancelled task; null when it is in none of these states, or final. */
  private async cancelFrom(id: string, from: readonly TaskStatus[]): Promise<TaskRecord | null> {
    const task = await this.existing(id);
    const requestId = task.request?.requestId ?? '';
    const change = this.journal.ending(task, cancelledResult(task));
    const settled = await this.store.settle(id, { change, next: callbackJob(task, this.clock.steady(), this.settings), from });
    if (!settled) return null;
    // It may have been claimed in the moment before; then its call is cut off.
    if (!this.queue.abort(id)) void this.replicas.cutOff(id);
    this.journal.changed(settled, requestId);
    return settled;
  }

  /**
   * What runs of a final task is its callback, and that is not cut off. A synchronous task that is not written down yet is
   * for administrators only: nobody can tell whose it is, and its caller does not know its id.
   */
  private async refuseToCancel(id: string, identity: Identity): Promise<TaskStatus | undefined> {
    const task = await this.store.get(id);
    if (task ? !isVisible(task, identity) : !identity.isAdmin) throw new TaskNotFoundError(id);
    if (task && isFinal(task.status)) throw new ConflictError(`The task is ${task.status}: it cannot be cancelled any more`);
    return task?.status;
  }

  /**
   * Cuts off the call of a task, here or in another process. Resolves to the task once what came of that is recorded: it
   * is final, or it waits again; null when it runs nowhere.
   */
  private async cutOffAnywhere(id: string): Promise<TaskRecord | null> {
    const recorded = new AbortController();
    // From before: the news may come together with the other process' answer.
    const unsubscribe = this.events.subscribe(({ task }) => {
      if (task.id === id && task.status !== 'running') recorded.abort();
    });
    try {
      if (!this.cutOff(id) && !(await this.replicas.cutOff(id))) return null;
      await this.clock.sleep(RECORDED_WITHIN_MS, recorded.signal);
      return await this.existing(id);
    } finally {
      unsubscribe();
    }
  }

  private async existing(id: string): Promise<TaskRecord> {
    const task = await this.store.get(id);
    if (!task) throw new TaskNotFoundError(id);
    return task;
  }
}

function queryOf({
  droplet_name,
  created_after,
  created_before,
}: Omit<RetryTasks, 'limit' | 'rate_per_second'>): Omit<TaskQuery, 'limit'> {
  const createdAfter = instantMs(created_after);
  const createdBefore = instantMs(created_before);
  return {
    meta: {},
    ...(droplet_name === null ? {} : { dropletName: droplet_name }),
    ...(createdAfter === null ? {} : { createdAfter }),
    ...(createdBefore === null ? {} : { createdBefore }),
  };
}
