import { Injectable } from '@nestjs/common';
import type { Identity } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { OrchestratorError, StorageUnavailableError, TaskNotFoundError } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import type { Droplet } from '../registry/droplet.js';
import { Tracing } from '../tracing/tracing.js';
import { IdempotencyKeys } from './idempotency.js';
import { ResultKeeper } from './result.keeper.js';
import { RunningTasks } from './running.tasks.js';
import { storedBody, KEPT_BYTES } from './stored.body.js';
import type { SubmitTask } from './submit-task.dto.js';
import { TaskCaller, type Place } from './task.caller.js';
import { draftTask, requestOf, storableRequest, type Caller } from './task.draft.js';
import { newTaskId } from './task.id.js';
import { callbackJob } from './task.jobs.js';
import { TaskJournal } from './task.journal.js';
import { isVisible } from './task.owner.js';
import type { TaskRecord, TaskRequest } from './task.js';
import { cancelledResult, resultOf } from './task.result.js';
import { TaskStore, type IdempotencyKey, type TaskPage, type TaskQuery } from './task.store.js';

/** What a synchronous caller gets. */
export interface Outcome {
  /** With the droplet's body whole, unless it is replayed. */
  readonly task: TaskRecord;
  /** False when the store failed after the call was made. */
  readonly recorded: boolean;
  readonly replayed: boolean;
  /** What the call took, its waits included; null where none was made. */
  readonly calledMs: number | null;
}

/** A task after its call. */
interface Called {
  /** With the body whole. */
  readonly ended: TaskRecord;
  readonly calledMs: number;
}

/** What became of a task's record; `lost`: another process took this one for dead, and has ended the task. */
type Recording = 'recorded' | 'failed' | 'lost';

/** Synchronous tasks, and reading them all. */
@Injectable()
export class TaskService {
  constructor(
    private readonly caller: TaskCaller,
    private readonly store: TaskStore,
    private readonly keys: IdempotencyKeys,
    private readonly running: RunningTasks,
    private readonly keeper: ResultKeeper,
    private readonly journal: TaskJournal,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly tracing: Tracing,
  ) {}

  /**
   * Runs a task to its end and records it.
   * @throws StorageUnavailableError, DropletNotFoundError, InvalidRequestError, CircuitOpenError, OverloadedError before the
   * droplet is called, never after
   */
  run(task: SubmitTask, caller: Caller): Promise<Outcome> {
    return this.lifecycle.during(() => this.runToEnd(task, caller));
  }

  /** @throws TaskNotFoundError, also for a task of somebody else */
  async get(id: string, identity: Identity): Promise<TaskRecord> {
    const task = await this.store.get(id);
    if (!task || !isVisible(task, identity)) throw new TaskNotFoundError(id);
    return task;
  }

  list(query: TaskQuery): Promise<TaskPage> {
    return this.store.list(query);
  }

  private async runToEnd(submitted: SubmitTask, caller: Caller): Promise<Outcome> {
    if (!this.store.isWritable) throw new StorageUnavailableError();
    const request = requestOf(submitted, caller);
    const key = this.keys.keyOf(submitted, request, caller);
    let place: Place;
    try {
      place = await this.caller.resolve(submitted.droplet_name, submitted.path);
      // Before the key is reserved, which would have to be taken back.
      if (key) this.caller.refuseIfShut(place.droplet);
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw error;
      return replay(await this.keys.earlierOutcome(key, error));
    }
    const { droplet, target } = place;
    const draft = draftTask(newTaskId(), submitted, {
      status: 'running',
      caller: caller.identity.name,
      targetUrl: target.url,
      runAt: null,
      request: storableRequest(request),
    });
    const reserved = key && (await this.keys.reserve(draft, key));
    if (reserved) return replay(reserved);
    const call = (abort: AbortSignal): Promise<Called> => this.call(draft, request, droplet, { caller, abort });
    const { spans } = this.tracing;
    const called = spans ? spans.task(draft, () => this.running.during(draft.id, call)) : this.running.during(draft.id, call);
    const { ended, calledMs } = await (key ? called.catch((error: unknown) => this.withdraw(draft.id, key, error)) : called);
    const recording = await this.record(ended, request, key !== null);
    const recorded = recording === 'recorded';
    // Who has ended a lost one has counted it, too.
    if (recording !== 'lost') this.journal.finished(ended, { requestId: request.requestId, recorded });
    return { task: ended, recorded, replayed: false, calledMs };
  }

  /** A call that was refused was no task, and must not hold its key: it goes before its caller is told. */
  private async withdraw(id: string, key: IdempotencyKey, error: unknown): Promise<never> {
    if (error instanceof OrchestratorError) {
      const write = (): Promise<void> => this.store.withdraw(id, key);
      await write().catch(() => void this.recordLater(id, write));
    }
    throw error;
  }

  private async call(
    draft: TaskRecord,
    request: TaskRequest,
    droplet: Droplet,
    { caller, abort }: { caller: Caller; abort: AbortSignal },
  ): Promise<Called> {
    const start = this.clock.monotonic();
    const { id, dropletName, method, path } = draft;
    const execution = await this.caller.run({ id, dropletName, method, path, request }, droplet, {
      stop: () => [caller.waitEnd()],
      abort,
    });
    const made = resultOf(draft, execution, droplet.status);
    const result = this.running.isCancelled(id) ? cancelledResult(made) : made;
    const calledMs = this.clock.monotonic() - start;
    const durationMs = Math.round(calledMs);
    const callback = request.callbackUrl === null ? null : ({ status: 'pending', attempts: 0, last_error: null } as const);
    const ended = { ...draft, ...result, durationMs, completedAt: draft.createdAt + durationMs, callback };
    this.tracing.spans?.stands(ended);
    return { ended, calledMs };
  }

  private async record(ended: TaskRecord, request: TaskRequest, isReserved: boolean): Promise<Recording> {
    const isNeeded = ended.status !== 'success' || request.callbackUrl !== null;
    const stored: TaskRecord = {
      ...ended,
      responseBody: storedBody(ended.responseBody, isReserved ? this.settings.STORED_RESPONSE_LIMIT : KEPT_BYTES),
      request: isNeeded ? storableRequest(request) : null,
    };
    const next = callbackJob(stored, this.clock.steady(), this.settings);
    const settle = async (): Promise<Recording> => {
      if (!(await this.store.settle(ended.id, { change: stored, next }))) return 'lost';
      this.journal.announce(stored);
      return 'recorded';
    };
    try {
      if (isReserved) return await settle();
      await this.store.insert(stored, next);
      this.journal.announce(stored);
      return 'recorded';
    } catch (err) {
      this.log.error({ err, task_id: ended.id }, 'task not recorded');
      if (isReserved) void this.recordLater(ended.id, settle);
      return 'failed';
    }
  }

  /** An Idempotency-Key must not stand for a task that never ends. */
  private async recordLater(id: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await this.keeper.keep(id, write);
    } catch (err) {
      this.log.error({ err, task_id: id }, 'task never recorded');
    }
  }
}

/** What a key stands for: nobody was called. */
const replay = (task: TaskRecord): Outcome => ({ task, recorded: true, replayed: true, calledMs: null });
