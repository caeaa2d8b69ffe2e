import type { TaskRecord } from './api.types.js';

export type TaskStatus = TaskRecord['status'];

/** Which tasks; all that are said must hold. */
export interface TaskFilter {
  readonly status?: TaskStatus | undefined;
  /** Without regard to case. */
  readonly dropletName?: string | undefined;
  /** A date, epoch seconds, or ISO 8601. */
  readonly createdAfter?: Date | number | string | undefined;
  readonly createdBefore?: Date | number | string | undefined;
  /** The caller's own words that were stored with the task. */
  readonly meta?: Readonly<Record<string, string>> | undefined;
}

/** Which part of a list. */
export interface TaskPageFilter extends TaskFilter {
  /** 1 to 1000; 100 unless said. */
  readonly limit?: number | undefined;
  /** The `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** The query of a list, with its question mark; '' when it asks for all. */
export function queryText({
  status,
  dropletName,
  createdAfter,
  createdBefore,
  meta = {},
  limit,
  cursor,
}: TaskPageFilter): string {
  const all: Readonly<Record<string, string | number | undefined>> = {
    ...{ status, droplet_name: dropletName, limit, cursor },
    ...{ created_after: instantText(createdAfter), created_before: instantText(createdBefore) },
    ...Object.fromEntries(Object.entries(meta).map(([key, value]) => [`meta.${key}`, value])),
  };
  const given = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const query = new URLSearchParams(given).toString();
  return query === '' ? '' : `?${query}`;
}

const instantText = (value: Date | number | string | undefined): string | undefined =>
  value instanceof Date ? value.toISOString() : value?.toString();

/** Will a task in this state change no more, except by a retry? */
export const isFinal = (status: TaskStatus): boolean => status !== 'queued' && status !== 'running';
