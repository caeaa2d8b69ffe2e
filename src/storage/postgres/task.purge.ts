import type { Retention } from '../../tasks/task.store.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection, Session } from './postgres.connection.js';
import type { PostgresJobs } from './postgres.jobs.js';
import { removeExpiredKeys } from './postgres.keys.js';
import { forgetTasks, type RemovedTask } from './removed.tasks.js';

/** Tasks that one purge removes at the most: a write of a few milliseconds. */
const PURGE_STEP = 200;
/** One replica purges at a time. */
const PURGE_LOCK = 4_073_119_812;

interface Purge {
  readonly retention: Retention;
  readonly jobs: PostgresJobs;
  readonly slot: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Removes the oldest finished tasks that may not stay; resolves to how many. Another replica that does so is left alone. */
export function purgeTasks(connection: PostgresConnection, purge: Purge): Promise<number> {
  return connection.transaction(async (session) => {
    const [lock] = await session.query<{ taken: boolean }>({
      text: 'SELECT pg_try_advisory_xact_lock($1) AS taken',
      values: [PURGE_LOCK],
    });
    if (!lock?.taken) return 0;
    // Keys before tasks, as everybody else locks them.
    await removeExpiredKeys(purge.now, session);
    const removed = await remove(await surplus(purge.retention, session), purge.retention.completedSince, session);
    await forgetTasks(removed, purge, session);
    return removed.length;
  });
}

/** How many of the oldest may go whatever their age, because there are too many or they take too much room. */
async function surplus({ maxTasks, maxBytes }: Retention, session: Session): Promise<number> {
  const text = `SELECT COALESCE(sum(tasks), 0)::bigint AS tasks, COALESCE(sum(bytes), 0)::bigint AS bytes FROM ${SCHEMA}.task_totals`;
  const [used] = await session.query<{ tasks: number; bytes: number }>({ text });
  const { tasks, bytes } = used ?? { tasks: 0, bytes: 0 };
  return bytes > maxBytes ? PURGE_STEP : Math.min(PURGE_STEP, Math.max(0, tasks - maxTasks));
}

function remove(count: number, completedSince: number, session: Session): Promise<RemovedTask[]> {
  const text = `
    WITH old AS (
      SELECT id FROM ${SCHEMA}.tasks WHERE completed_at IS NOT NULL ORDER BY completed_at LIMIT $1
    ), expired AS (
      SELECT id FROM ${SCHEMA}.tasks WHERE completed_at < $2 ORDER BY completed_at LIMIT ${PURGE_STEP}
    ), locked AS (
      SELECT id FROM ${SCHEMA}.tasks WHERE id IN (SELECT id FROM old UNION SELECT id FROM expired) AND completed_at IS NOT NULL
      ORDER BY id FOR UPDATE SKIP LOCKED
    ), unpaired AS (
      DELETE FROM ${SCHEMA}.task_meta WHERE id IN (SELECT id FROM locked)
    )
    DELETE FROM ${SCHEMA}.tasks WHERE id IN (SELECT id FROM locked) RETURNING bytes, queue, job`;
  return session.query<RemovedTask>({ text, values: [count, Math.ceil(completedSince)] });
}
