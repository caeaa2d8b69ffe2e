import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { StorageUnavailableError, TaskNotFoundError } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import { DropletClient } from '../outbound/droplet.client.js';
import type { Execution } from '../outbound/retry.policy.js';
import { targetUrl } from '../outbound/target-url.js';
import { TraceContext } from '../outbound/trace-context.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import type { Droplet } from '../registry/droplet.js';
import { retryPlan } from './retry.plan.js';
import { storedBody } from './stored.body.js';
import type { SubmitTask } from './submit-task.dto.js';
import { createdAtOf, newTaskId } from './task.id.js';
import type { TaskRecord } from './task.js';
import { resultOf, type TaskResult } from './task.result.js';
import { TaskStore, type TaskPage, type TaskQuery } from './task.store.js';

/** Who asks for a task, beside its body. */
export interface Caller {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Aborted when the caller hangs up. */
  readonly goneAway: AbortSignal;
}

/** A task that has run to its end. */
export interface FinishedTask {
  readonly id: string;
  readonly targetUrl: string;
  readonly result: TaskResult;
  readonly durationMs: number;
  /** False when the store failed after the call was made. */
  readonly recorded: boolean;
}

/** The use cases of tasks. */
@Injectable()
export class TaskService {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly client: DropletClient,
    private readonly store: TaskStore,
    private readonly metrics: Metrics,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * Runs a task to its end and records it.
   * @throws StorageUnavailableError, DropletNotFoundError, InvalidRequestError before the droplet is called, never after
   */
  run(task: SubmitTask, caller: Caller): Promise<FinishedTask> {
    return this.lifecycle.during(() => this.runToEnd(task, caller));
  }

  private async runToEnd(task: SubmitTask, caller: Caller): Promise<FinishedTask> {
    if (!this.store.isWritable) throw new StorageUnavailableError();
    const id = newTaskId();
    const start = this.clock.monotonic();
    const droplet = await this.directory.resolve(task.droplet_name);
    const { url } = targetUrl(droplet.endpoint, task.path);
    const execution = await this.call(id, task, droplet, caller);
    const durationMs = Math.round(this.clock.monotonic() - start);
    const result = resultOf(execution, droplet.status);
    const finished = { id, targetUrl: execution.attempts.at(-1)?.target.url ?? url, result, durationMs };
    const recorded = await this.record(recordOf(task, finished));
    this.tell(task, { ...finished, recorded }, { droplet: droplet.name, requestId: caller.requestId });
    return { ...finished, recorded };
  }

  /** @throws TaskNotFoundError */
  async get(id: string): Promise<TaskRecord> {
    const task = await this.store.get(id);
    if (!task) throw new TaskNotFoundError(id);
    return task;
  }

  list(query: TaskQuery): Promise<TaskPage> {
    return this.store.list(query);
  }

  private call(id: string, task: SubmitTask, droplet: Droplet, caller: Caller): Promise<Execution> {
    return this.client.call(
      {
        droplet: () => this.directory.current(droplet.name) ?? droplet,
        method: task.method,
        path: task.path,
        payload: task.payload === null ? null : JSON.stringify(task.payload),
        taskId: id,
        requestId: caller.requestId,
        trace: TraceContext.from(caller.traceparent),
        headers: lowerCased(task.headers ?? {}),
      },
      retryPlan(task, this.settings),
      { stop: [caller.goneAway, this.lifecycle.draining], abort: this.lifecycle.aborting },
    );
  }

  private async record(task: TaskRecord): Promise<boolean> {
    try {
      await this.store.insert(task);
      return true;
    } catch (err) {
      this.log.error({ err, task_id: task.id }, 'task not recorded');
      return false;
    }
  }

  private tell(
    task: SubmitTask,
    { id, result, durationMs, recorded }: FinishedTask,
    names: { droplet: string; requestId: string },
  ): void {
    const { status, retryCount, attempts, responseStatus, error } = result;
    this.metrics.taskFinished({ droplet: names.droplet, status, durationMs, retryCount });
    this.log.info(
      {
        ...{ request_id: names.requestId, task_id: id, droplet: names.droplet, method: task.method, outcome: status },
        ...{ response_status: responseStatus, attempts, duration_ms: durationMs, error_code: error?.code ?? null, recorded },
      },
      'task finished',
    );
  }
}

function recordOf(task: SubmitTask, { id, targetUrl: url, result, durationMs }: Omit<FinishedTask, 'recorded'>): TaskRecord {
  const createdAt = createdAtOf(id);
  return {
    ...{ id, dropletName: task.droplet_name, targetUrl: url, method: task.method, path: task.path },
    ...result,
    responseBody: storedBody(result.responseBody),
    ...{ createdAt, completedAt: createdAt + durationMs, durationMs },
    ...{ meta: task.meta, priority: task.priority ?? DEFAULT_PRIORITY },
  };
}

const DEFAULT_PRIORITY = 5;

/** Header names as the transport wants them, so that ours replace the caller's of the same name. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
