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
  readonly value: string;
}

/** The ids of one page and one more, newest first. */
export function pageSql(query: TaskQuery): Sql {
  const beyond = query.cursor === undefined ? [] : [{ text: 'id < ?', value: query.cursor }];
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
  return { text: `SELECT id FROM ${source}${where}`, values: all.map(({ value }) => value) };
}

function ownConditions({ status, dropletName, createdAfter, createdBefore }: TaskQuery): Condition[] {
  return [
    ...(status === undefined ? [] : [{ text: 'status = ?', value: status }]),
    ...(dropletName === undefined ? [] : [{ text: 'droplet_key = ?', value: dropletName.toLowerCase() }]),
    ...(createdAfter === undefined ? [] : [{ text: 'id >= ?', value: firstIdOf(Math.floor(createdAfter) + 1) }]),
    ...(createdBefore === undefined ? [] : [{ text: 'id < ?', value: firstIdOf(Math.ceil(createdBefore)) }]),
  ];
}

/** The first `meta` filter leads through its index, newest first; the others are looked up for each id. */
function metaConditions({ meta }: TaskQuery): { source: string; conditions: Condition[] } {
  const [first, ...others] = Object.entries(meta);
  if (!first) return { source: 'tasks', conditions: [] };
  const pair = (alias: string, [key, value]: [string, string]): Condition[] => [
    { text: `${alias}.key = ?`, value: key },
    { text: `${alias}.value = ?`, value },
  ];
  const joins = others.map((_, index) => ` JOIN task_meta m${index} USING (id)`).join('');
  return {
    source: `task_meta lead${joins} CROSS JOIN tasks USING (id)`,
    conditions: [...pair('lead', first), ...others.flatMap((other, index) => pair(`m${index}`, other))],
  };
}
