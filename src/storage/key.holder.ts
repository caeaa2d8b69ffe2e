import type { TaskRecord } from '../tasks/task.js';
import type { IdempotencyKey, Repeat } from '../tasks/task.store.js';

/** What a key stands for already. */
export interface KeyHolder {
  readonly task: TaskRecord;
  readonly fingerprint: string;
}

/** What a request with this key is to the one that holds it. */
export const repeatOf = ({ task, fingerprint }: KeyHolder, key: IdempotencyKey): Repeat =>
  fingerprint === key.fingerprint ? { kind: 'replayed', task } : { kind: 'mismatch' };
