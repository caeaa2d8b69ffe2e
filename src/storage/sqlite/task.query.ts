import { FINAL_STATUSES } from '../../tasks/task.js';
import type { TaskQuery } from '../../tasks/task.store.js';
import { firstIdOf } from '../../tasks/task.id.js';

/** A statement and its parameters. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** Matches are counted up to here; more give a lower bound; contract §2. */
export const COUNTED = 10_000;

interface Condition {
  readonly text: string;
  readonly values: readonly string[];
}

/** The ids of one page and one more, newest first. */
export function pageSql(query: TaskQuery): Sql {
  const beyond = query.cursor === undefined ? [] : [{ text: 'id < ?', values: [query.cursor] }];
  return union(query, beyond, query.limit + 1);
}

/** Counts the matches before limit and cursor, up to one more than COUNTED. */
export function countSql(query: TaskQuery): Sql {
  const { text, values } = union(query, [], COUNTED + 1);
  return { text: `SELECT COUNT(*) AS total FROM (${text})`, values };
}

export const hasFilters = ({ status, dropletName, createdAfter, createdBefore, meta }: TaskQuery): boolean =>
  [status, dropletName, createdAfter, createdBefore].some((filter) => filter !== undefined) || Object.keys(meta).length > 0;

/** A droplet without a status reads one index range for each status and merges them, instead of sorting them all. */
function union(query: TaskQuery, more: readonly Condition[], limit: number): Sql {
  const isSplit = query.dropletName !== undefined && query.status === undefined && Object.keys(query.meta).length === 0;
  const parts = (isSplit ? FINAL_STATUSES.map((status) => ({ ...query, status })) : [query]).map((part) => select(part, more));
  return {
    text: `${parts.map(({ text }) => text).join(' UNION ALL ')} ORDER BY id DESC LIMIT ${limit}`,
    values: parts.flatMap(({ values }) => values),
  };
}

function select(query: TaskQuery, more: readonly Condition[]): Sql {
  const { source, conditions } = metaConditions(query);
  const all = [...conditions, ...ownConditions(query), ...more];
  const where = all.length === 0 ? '' : ` WHERE ${all.map(({ text }) => text).join(' AND ')}`;
  return { text: `SELECT id FROM ${source}${where}`, values: all.flatMap(({ values }) => values) };
}

function ownConditions({ status, dropletName, createdAfter, createdBefore }: TaskQuery): Condition[] {
  return [
    ...(status === undefined ? [] : [{ text: 'status = ?', values: [status] }]),
    ...(dropletName === undefined ? [] : [{ text: 'droplet_key = ?', values: [dropletName.toLowerCase()] }]),
    ...(createdAfter === undefined ? [] : [{ text: 'id >= ?', values: [firstIdOf(Math.floor(createdAfter) + 1)] }]),
    ...(createdBefore === undefined ? [] : [{ text: 'id < ?', values: [firstIdOf(createdBefore)] }]),
  ];
}

/** The first `meta` filter leads through its index, newest first; the others are looked up for each id. */
function metaConditions({ meta }: TaskQuery): { source: string; conditions: Condition[] } {
  const [first, ...others] = Object.entries(meta);
  if (!first) return { source: 'tasks', conditions: [] };
  const also = 'EXISTS (SELECT 1 FROM task_meta other WHERE other.key = ? AND other.value = ? AND other.id = lead.id)';
  const lead = { text: 'lead.key = ? AND lead.value = ?', values: first };
  return {
    source: 'task_meta lead CROSS JOIN tasks USING (id)',
    conditions: [lead, ...others.map((values) => ({ text: also, values }))],
  };
}
