import type { TaskRecord } from '../../tasks/task.js';
import type { Row } from '../task.rows.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection } from './postgres.connection.js';
import { fromRow } from './postgres.tasks.js';
import { JOBS_SCHEMA, type ClaimedPlace, type PostgresJobs } from './postgres.jobs.js';

/** In how many ms the next waiting job of a queue is due; pg-boss has an index for each half of it. */
const dueIn = (queue: string): string => `
  LEAST(${['created', 'retry'].map((state) => earliest(queue, state)).join(', ')})`;
const earliest = (queue: string, state: string): string =>
  `(SELECT min(start_after) FROM ${JOBS_SCHEMA}.job AS j WHERE j.name = ${queue} AND j.state = '${state}' AND NOT j.blocked)`;
const asMs = (time: string): string => `ceil(extract(epoch FROM ${time} - ${JOBS_SCHEMA}.job_now()) * 1000)::float8`;

/** When each queue of ours has its next due job, ms from now; those that have none are left out. */
export async function dueTimes(connection: PostgresConnection): Promise<[queue: string, inMs: number][]> {
  const text = `
    SELECT name, ${asMs('due')} AS in_ms
    FROM (SELECT q.name, ${dueIn('q.name')} AS due FROM ${JOBS_SCHEMA}.queue AS q WHERE q.name ~ '^(droplet|callback)[.]') AS queues
    WHERE due IS NOT NULL`;
  const rows = await connection.query<{ name: string; in_ms: number }>({ name: 'due times', text }, 'local');
  return rows.map(({ name, in_ms }) => [name, in_ms]);
}

/** The same of one queue; Infinity for none. */
export async function dueTimeOf(queue: string, connection: PostgresConnection): Promise<number> {
  const text = `SELECT ${asMs('due')} AS in_ms FROM (SELECT ${dueIn('$1')} AS due) AS queue WHERE due IS NOT NULL`;
  const [row] = await connection.query<{ in_ms: number }>({ name: 'due time', text, values: [queue] }, 'local');
  return row?.in_ms ?? Infinity;
}

/** Jobs that wait or run in the whole cluster. */
export async function waitingJobs(connection: PostgresConnection): Promise<number> {
  const text = `SELECT COALESCE(sum(jobs), 0)::bigint AS jobs FROM ${SCHEMA}.task_totals`;
  const [row] = await connection.query<{ jobs: number }>({ name: 'waiting jobs', text }, 'local');
  return row?.jobs ?? 0;
}

/** A job that was claimed, with its task. */
export interface ClaimedTask {
  readonly place: ClaimedPlace;
  readonly task: TaskRecord;
}

/**
 * Marks the tasks of fetched jobs as running under this claim, and resolves to those that are still wanted. A claim that
 * comes late, from a replica that was stopped in between, changes nothing: a later one has a higher count.
 */
export async function markClaimed(
  fetched: readonly ClaimedPlace[],
  connection: PostgresConnection,
  jobs: PostgresJobs,
): Promise<ClaimedTask[]> {
  const text = `
    UPDATE ${SCHEMA}.tasks AS t
    SET claim = c.count, status = CASE WHEN c.callback THEN t.status ELSE 'running' END
    FROM json_to_recordset($1) AS c(job uuid, task uuid, count integer, callback boolean)
    WHERE t.id = c.task AND t.job = c.job AND t.claim < c.count
    RETURNING t.*`;
  const claims = fetched.map(({ id, count, job }) => ({ job: id, task: job.id, count, callback: job.kind === 'callback' }));
  const rows = await connection.query<Row>({ name: 'mark claimed', text, values: [JSON.stringify(claims)] }, 'local');
  const tasks = new Map(rows.map((row) => [String(row.job), fromRow(row).task]));
  const unwanted = fetched.filter(({ id }) => !tasks.has(id));
  await jobs.discard(unwanted);
  return fetched.flatMap((place) => {
    const task = tasks.get(place.id);
    return task ? [{ place, task }] : [];
  });
}
