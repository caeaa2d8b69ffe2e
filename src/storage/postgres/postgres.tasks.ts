import { createHash } from 'node:crypto';
import { KEPT_BYTES } from '../../tasks/stored.body.js';
import type { TaskRecord } from '../../tasks/task.js';
import { rowToTask, taskToRow, type Row } from '../task.rows.js';
import { SUMS, type Sums } from '../task.totals.js';
import { SCHEMA } from './migrations.js';
import type { Place } from './postgres.jobs.js';
import type { Session, Statement } from './postgres.connection.js';

/** Never claimed and never shown to anybody: it may be taken back when nobody knows whether it was committed. */
export const UNSEEN = -2;
/** Never claimed, but its key was asked for again and answered with it. */
export const SEEN = -1;

/** A task with what stands beside it in its row. */
export interface StoredTask {
  readonly task: TaskRecord;
  /** The job that stands for it. */
  readonly place: Place | null;
  /** The last claim of that job. */
  readonly claim: number;
  /** The replica whose caller waits for it; null for an asynchronous one. */
  readonly owner: string | null;
}

/** What a transaction adds to the totals. */
export type TotalsChange = Sums & { readonly tasks: number; readonly bytes: number; readonly jobs: number };

const TYPES: Readonly<Record<string, string>> = {
  ...{ id: 'uuid', caller: 'text', droplet_name: 'text', droplet_key: 'text', target_url: 'text', method: 'text', path: 'text' },
  ...{ status: 'text', response_status: 'integer', response_body: 'text', retry_count: 'integer', attempts: 'integer' },
  ...{ created_at: 'bigint', completed_at: 'bigint', duration_ms: 'bigint', error: 'text', meta: 'text' },
  ...{ priority: 'integer', history: 'text', run_at: 'bigint', callback: 'text', request: 'text' },
  ...{ bytes: 'integer', queue: 'text', job: 'uuid', claim: 'integer', owner: 'uuid' },
};
const COLUMNS = Object.keys(TYPES);
const FIXED = ['id', 'caller', 'droplet_name', 'droplet_key', 'method', 'path', 'created_at', 'meta', 'priority'];
const recordset = (columns: readonly string[]): string => columns.map((name) => `${name} ${TYPES[name]}`).join(', ');
const CHANGES = COLUMNS.filter((name) => !FIXED.includes(name)).map((name) => `${name} = c.${name}`);
const TOTALS = [...SUMS, 'tasks', 'bytes', 'jobs'] as const;

/** What a list shows: no history, no request, and of a large body only its size. */
const LISTED = [
  ...COLUMNS.filter((column) => !['history', 'request', 'response_body'].includes(column)),
  'octet_length(response_body) AS response_bytes',
  `CASE WHEN octet_length(response_body) <= ${KEPT_BYTES} THEN response_body END AS response_body`,
].join(', ');

/** New tasks, changed ones and their share of the totals in one round trip. */
const WRITE = `
  WITH inserted AS (
    INSERT INTO ${SCHEMA}.tasks (${COLUMNS.join(', ')})
    SELECT ${COLUMNS.join(', ')} FROM json_to_recordset($1) AS r(${recordset(COLUMNS)})
  ), paired AS (
    INSERT INTO ${SCHEMA}.task_meta (pair, id) SELECT decode(pair, 'hex'), id FROM json_to_recordset($2) AS r(pair text, id uuid)
  ), updated AS (
    UPDATE ${SCHEMA}.tasks AS t SET ${CHANGES.join(', ')}
    FROM json_to_recordset($3) AS c(${recordset(COLUMNS)}) WHERE t.id = c.id
  )
  UPDATE ${SCHEMA}.task_totals SET ${TOTALS.map((name, index) => `${name} = ${name} + $${index + 5}`).join(', ')} WHERE slot = $4`;

/** What one write puts down. */
export interface TaskWrite {
  readonly inserted: readonly StoredTask[];
  readonly updated: readonly StoredTask[];
  readonly totals: TotalsChange;
}

/** The statement of a write. @param slot whose totals it adds to */
export function writeStatement({ inserted, updated, totals }: TaskWrite, slot: number): Statement {
  const pairs = inserted.flatMap(({ task: { id, meta } }) =>
    [...new Set(Object.entries(meta ?? {}).map(pairDigest))].map((pair) => ({ pair: pair.toString('hex'), id })),
  );
  const rows = [inserted.map(toRow), pairs, updated.map(toRow)].map((each) => JSON.stringify(each));
  const values = [...rows, slot, ...TOTALS.map((name) => totals[name])];
  return { name: 'write tasks', text: WRITE, values };
}

/** Tasks by their ids, locked for the rest of the transaction in an order that all replicas share. */
export async function lockTasks(ids: readonly string[], session: Session): Promise<StoredTask[]> {
  const text = `SELECT * FROM ${SCHEMA}.tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`;
  return (await session.query<Row>({ name: 'lock tasks', text, values: [ids] })).map(fromRow);
}

/** Tasks by their ids, in no order. */
export async function readTasks(ids: readonly string[], session: Session): Promise<TaskRecord[]> {
  const text = `SELECT * FROM ${SCHEMA}.tasks WHERE id = ANY($1::uuid[])`;
  return (await session.query<Row>({ name: 'read tasks', text, values: [ids] })).map((row) => fromRow(row).task);
}

/** Tasks as a list shows them, newest first. */
export async function listTasks(ids: readonly string[], session: Session): Promise<TaskRecord[]> {
  const text = `SELECT ${LISTED} FROM ${SCHEMA}.tasks WHERE id = ANY($1::uuid[]) ORDER BY id DESC`;
  return (await session.query<Row>({ name: 'list tasks', text, values: [ids] })).map((row) => fromRow(row).task);
}

/** What a row takes, roughly: its texts. */
export function bytesOf(task: TaskRecord): number {
  const { response_body, history, request, meta, error } = taskToRow(task);
  return [response_body, history, request, meta, error].reduce<number>((sum, text) => sum + String(text ?? '').length, 200);
}

/** A pair of `meta` as it is indexed: of any length, and any text. */
export const pairDigest = (pair: readonly [string, string]): Buffer => createHash('sha256').update(JSON.stringify(pair)).digest();

/** A name of a caller's in a column: JSON text, for PostgreSQL takes neither NUL nor lone surrogates. */
export const storedName = (name: string): string => JSON.stringify(name);

export function fromRow(row: Row): StoredTask {
  const { queue, job, owner } = row;
  return {
    task: rowToTask({ ...row, droplet_name: JSON.parse(String(row.droplet_name)) as string }),
    place: typeof queue === 'string' && typeof job === 'string' ? { queue, id: job } : null,
    claim: Number(row.claim),
    owner: typeof owner === 'string' ? owner : null,
  };
}

function toRow({ task, place, claim, owner }: StoredTask): Record<string, string | number | null> {
  return {
    ...taskToRow(task),
    droplet_name: storedName(task.dropletName),
    droplet_key: storedName(task.dropletName.toLowerCase()),
    ...{ bytes: bytesOf(task), queue: place?.queue ?? null, job: place?.id ?? null, claim, owner },
  };
}
