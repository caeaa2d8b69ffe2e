import type { IdempotencyKey } from '../../tasks/task.store.js';
import { SCHEMA } from './migrations.js';
import { fromRow, SEEN, UNSEEN } from './postgres.tasks.js';
import type { Session } from './postgres.connection.js';
import type { KeyHolder } from '../key.holder.js';
import type { Row } from '../task.rows.js';

/** A key that a task asks for. */
export interface KeyRequest {
  readonly key: IdempotencyKey;
  readonly taskId: string;
}

/** Names a key in a map. */
export const keyName = ({ caller, key }: Pick<IdempotencyKey, 'caller' | 'key'>): string => JSON.stringify([caller, key]);

/**
 * Reserves keys in the transaction of `session`; resolves to the holders of those that are taken, by `keyName`. A
 * replica that asks for the same key at the same time waits here for this transaction's end.
 */
export async function reserveKeys(
  requests: readonly KeyRequest[],
  now: number,
  session: Session,
): Promise<Map<string, KeyHolder>> {
  const held = await take(requests, now, session);
  // A statement of its own: the one before does not see the task of a replica for which it has waited.
  const found = await keyHolders(
    held.map(({ key }) => key),
    now,
    session,
  );
  const purged = held.filter(({ key }) => !found.has(keyName(key)));
  await take(purged, Number.MAX_SAFE_INTEGER, session);
  return found;
}

/**
 * Takes the keys that nobody holds, or whose time was over by then; resolves to the others, which are locked as well.
 * Sorted, so that no two transactions wait for each other.
 */
async function take(requests: readonly KeyRequest[], overBy: number, session: Session): Promise<KeyRequest[]> {
  if (requests.length === 0) return [];
  const text = `
    INSERT INTO ${SCHEMA}.idempotency_keys AS held (caller, key, fingerprint, task_id, expires_at)
    SELECT caller, key, fingerprint, task_id, expires_at
    FROM json_to_recordset($1) AS r(caller text, key text, fingerprint text, task_id uuid, expires_at bigint)
    ORDER BY caller, key
    ON CONFLICT (caller, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, task_id = excluded.task_id, expires_at = excluded.expires_at
      WHERE held.expires_at <= $2
    RETURNING caller, key`;
  const rows = requests.map(({ key, taskId }) => ({ ...key, task_id: taskId, expires_at: key.expiresAt }));
  const taken = await session.query<{ caller: string; key: string }>({ text, values: [JSON.stringify(rows), overBy] });
  const ours = new Set(taken.map(keyName));
  return requests.filter(({ key }) => !ours.has(keyName(key)));
}

/** Holds a key for the rest of the transaction, if it stands for this task: who asks for it at the same time waits. */
export async function lockKey({ caller, key }: IdempotencyKey, taskId: string, session: Session): Promise<void> {
  const text = `SELECT 1 FROM ${SCHEMA}.idempotency_keys WHERE caller = $1 AND key = $2 AND task_id = $3 FOR UPDATE`;
  await session.query({ text, values: [caller, key, taskId] });
}

/** Holds the keys of tasks in the same way, in the order in which they are reserved. */
export async function lockKeysOf(taskIds: readonly string[], session: Session): Promise<void> {
  const text = `
    SELECT 1 FROM ${SCHEMA}.idempotency_keys WHERE task_id = ANY($1::uuid[]) ORDER BY caller, key FOR UPDATE`;
  await session.query({ text, values: [taskIds] });
}

/** Frees a key that `lockKey` holds. */
export async function freeKey({ caller, key }: IdempotencyKey, taskId: string, session: Session): Promise<void> {
  const text = `DELETE FROM ${SCHEMA}.idempotency_keys WHERE caller = $1 AND key = $2 AND task_id = $3`;
  await session.query({ text, values: [caller, key, taskId] });
}

/** Removes keys that stand for nothing any more, but those that somebody is just about to take. */
export async function removeExpiredKeys(now: number, session: Session): Promise<void> {
  const text = `
    DELETE FROM ${SCHEMA}.idempotency_keys WHERE (caller, key) IN (
      SELECT caller, key FROM ${SCHEMA}.idempotency_keys WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED
    )`;
  await session.query({ text, values: [now] });
}

/** What stands behind keys, by `keyName`. A task that is shown to somebody by its key must not be taken back any more. */
export async function keyHolders(
  keys: readonly IdempotencyKey[],
  now: number,
  session: Session,
): Promise<Map<string, KeyHolder>> {
  if (keys.length === 0) return new Map();
  const text = `
    UPDATE ${SCHEMA}.tasks AS t SET claim = CASE WHEN t.claim = ${UNSEEN} THEN ${SEEN} ELSE t.claim END
    FROM ${SCHEMA}.idempotency_keys AS k
    JOIN json_to_recordset($1) AS r(caller text, key text) ON k.caller = r.caller AND k.key = r.key
    WHERE t.id = k.task_id AND k.expires_at > $2
    RETURNING t.*, k.caller AS key_caller, k.key AS key_key, k.fingerprint AS key_fingerprint`;
  const found = await session.query<Row>({ text, values: [JSON.stringify(keys), now] });
  return new Map(
    found.map((row) => {
      const name = keyName({ caller: String(row.key_caller), key: String(row.key_key) });
      return [name, { task: fromRow(row).task, fingerprint: String(row.key_fingerprint) }];
    }),
  );
}
