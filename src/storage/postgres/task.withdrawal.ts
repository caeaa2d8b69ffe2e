import type { IdempotencyKey } from '../../tasks/task.store.js';
import { NO_SUMS } from '../task.totals.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection, Session } from './postgres.connection.js';
import { storeError } from './postgres.errors.js';
import { freeKey, lockKey } from './postgres.keys.js';
import { writeStatement } from './postgres.tasks.js';

interface Withdrawal {
  /** A synchronous task that was reserved and never begun. */
  readonly id: string;
  readonly key: IdempotencyKey;
  /** Whose totals it was added to. */
  readonly slot: number;
}

/**
 * Takes a reservation back, if it still stands. The key is locked first: who asks for one does so too, and then looks at
 * its task.
 */
export async function withdrawTask(connection: PostgresConnection, { id, key, slot }: Withdrawal): Promise<void> {
  const work = async (session: Session): Promise<void> => {
    await lockKey(key, id, session);
    const text = `
      WITH gone AS (
        DELETE FROM ${SCHEMA}.tasks WHERE id = $1 AND status = 'running' AND job IS NULL RETURNING id, bytes
      ), unpaired AS (
        DELETE FROM ${SCHEMA}.task_meta WHERE id IN (SELECT id FROM gone)
      )
      SELECT bytes FROM gone`;
    const [removed] = await session.query<{ bytes: number }>({ text, values: [id] });
    if (!removed) return;
    await freeKey(key, id, session);
    const totals = { ...NO_SUMS, tasks: -1, bytes: -removed.bytes, jobs: 0 };
    await session.query(writeStatement({ inserted: [], updated: [], totals }, slot));
  };
  try {
    await connection.transaction(work);
  } catch (error) {
    throw storeError(error);
  }
}
