import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ConflictError, IdempotencyMismatchError, type OrchestratorError } from '../common/errors.js';
import type { SubmitTask } from './submit-task.dto.js';
import { fingerprintOf, type Caller } from './task.draft.js';
import { isFinal, type TaskRecord, type TaskRequest } from './task.js';
import { TaskStore, type IdempotencyKey } from './task.store.js';

/** How long a key stands for its first request; contract §2. */
const KEPT_MS = 24 * 3_600_000;

/** One request a key: the first one runs, the others get what came of it. */
@Injectable()
export class IdempotencyKeys {
  constructor(
    private readonly store: TaskStore,
    private readonly clock: Clock,
  ) {}

  /** The key as it is kept, or null when the caller gave none. */
  keyOf(submitted: SubmitTask, request: TaskRequest, { idempotencyKey, identity }: Caller): IdempotencyKey | null {
    if (idempotencyKey === null) return null;
    const expiresAt = this.clock.now() + KEPT_MS;
    return { caller: identity.name, key: idempotencyKey, fingerprint: fingerprintOf(submitted, request), expiresAt };
  }

  /**
   * Reserves the key of a synchronous task. Null when the task may run, or the finished task that the key stands for.
   * @throws ConflictError while the first request still runs, IdempotencyMismatchError, StorageUnavailableError
   */
  async reserve(task: TaskRecord, key: IdempotencyKey): Promise<TaskRecord | null> {
    const [accepted] = await this.store.accept([{ task, job: null, key }]);
    if (accepted?.kind === 'mismatch') throw new IdempotencyMismatchError();
    return accepted?.kind === 'replayed' ? finished(accepted.task) : null;
  }

  /**
   * The task that a key stands for, whose repeat gets it also when the request would be refused by now.
   * @throws `refusal` when the key stands for none, IdempotencyMismatchError, StorageUnavailableError
   */
  async earlier(key: IdempotencyKey | null, refusal: OrchestratorError): Promise<TaskRecord> {
    const repeat = key && (await this.store.heldBy(key));
    if (!repeat) throw refusal;
    if (repeat.kind === 'mismatch') throw new IdempotencyMismatchError();
    return repeat.task;
  }

  /** The same for a caller that gets the outcome alone. @throws ConflictError while the first request still runs */
  async earlierOutcome(key: IdempotencyKey | null, refusal: OrchestratorError): Promise<TaskRecord> {
    return finished(await this.earlier(key, refusal));
  }
}

function finished(task: TaskRecord): TaskRecord {
  if (!isFinal(task.status)) throw ConflictError.stillRunning(task.id);
  return task;
}
