import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import { storedBody } from './stored.body.js';
import { TaskCaller } from './task.caller.js';
import { TaskEvents } from './task.events.js';
import { isFinal, type AttemptEntry, type TaskChange, type TaskRecord } from './task.js';
import type { TaskResult } from './task.result.js';

/** Tells the log, the figures and whoever listens of what became of a task. */
@Injectable()
export class TaskJournal {
  constructor(
    private readonly events: TaskEvents,
    private readonly metrics: Metrics,
    private readonly caller: TaskCaller,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** The change that ends an asynchronous task. */
  ending(task: TaskRecord, result: TaskResult): TaskChange {
    const completedAt = this.clock.now();
    return {
      ...result,
      responseBody: storedBody(result.responseBody, this.settings.STORED_RESPONSE_LIMIT),
      completedAt,
      durationMs: spentOn(result.history),
      callback: task.request?.callbackUrl ? { status: 'pending', attempts: 0, last_error: null } : null,
      ...(result.status === 'success' && !task.request?.callbackUrl ? { request: null } : {}),
    };
  }

  /** Tells who listens of a task that was written. */
  announce(task: TaskRecord): void {
    this.events.publish(task);
  }

  /** An attempt of an asynchronous task begins, which was due at `dueAt`, steady epoch milliseconds. */
  attemptBegins(task: TaskRecord, dueAt: number): void {
    this.metrics.queueWaited(this.caller.nameOf(task.dropletName), this.clock.steady() - dueAt);
  }

  /** So many tasks and callbacks were left behind by a process that died. */
  recovered(count: number): void {
    this.metrics.tasksRecovered(count);
    this.log.info({ tasks: count }, 'abandoned tasks picked up');
  }

  /** A task has changed in the store. */
  changed(task: TaskRecord, requestId: string): void {
    this.events.publish(task);
    if (isFinal(task.status)) this.finished(task, { requestId, recorded: true });
  }

  /** A task has come to its end. */
  finished(task: TaskRecord, { requestId, recorded }: { requestId: string; recorded: boolean }): void {
    const { id, dropletName, method, status, retryCount, attempts, responseStatus, error, durationMs } = task;
    const droplet = this.caller.nameOf(dropletName);
    this.metrics.taskFinished({ droplet, status, durationMs: durationMs ?? 0, retryCount });
    this.log.info(
      {
        request_id: requestId,
        task_id: id,
        droplet,
        method,
        outcome: status,
        attempts,
        response_status: responseStatus,
        duration_ms: durationMs,
        error_code: error?.code ?? null,
        recorded,
      },
      'task finished',
    );
  }
}

/** What attempts took, and the waits that were due between them: no clock that somebody sets counts, nor do restarts. */
const spentOn = (history: readonly AttemptEntry[]): number =>
  history.reduce((sum, { duration_ms, delay_ms }) => sum + duration_ms + delay_ms, 0);
