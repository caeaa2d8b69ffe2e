import { NO_SUMS } from '../task.totals.js';
import type { Session } from './postgres.connection.js';
import type { Place, PostgresJobs } from './postgres.jobs.js';
import { writeStatement } from './postgres.tasks.js';

/** What is left of a row that was deleted. */
export interface RemovedTask {
  readonly bytes: number;
  readonly queue: string | null;
  readonly job: string | null;
}

/** Takes deleted tasks out of the totals, and their jobs out of the queue, in the transaction that deleted them. */
export async function forgetTasks(
  removed: readonly RemovedTask[],
  { jobs, slot }: { readonly jobs: PostgresJobs; readonly slot: number },
  session: Session,
): Promise<void> {
  if (removed.length === 0) return;
  const places = removed.flatMap(({ queue, job }): Place[] => (queue && job ? [{ queue, id: job }] : []));
  const bytes = removed.reduce((sum, row) => sum + row.bytes, 0);
  const totals = { ...NO_SUMS, tasks: -removed.length, bytes: -bytes, jobs: -places.length };
  await Promise.all([jobs.remove(places, session), session.query(writeStatement({ inserted: [], updated: [], totals }, slot))]);
}
