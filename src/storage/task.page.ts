import type { TaskRecord } from '../tasks/task.js';
import type { TaskPage, TaskQuery } from '../tasks/task.store.js';

/** Matches are counted up to here; more give a lower bound; contract §2. */
export const COUNTED = 10_000;

/** What a store has found for a list. */
interface Found {
  /** Of one page, and of the first task after it if there is one. */
  readonly ids: readonly string[];
  /** The tasks of the page. */
  readonly tasks: readonly TaskRecord[];
  /** All matches; with filters counted up to one more than COUNTED. */
  readonly total: number;
}

/** True for a list that does not show all tasks. */
export const hasFilters = ({ caller, status, dropletName, createdAfter, createdBefore, meta }: TaskQuery): boolean =>
  [caller, status, dropletName, createdAfter, createdBefore].some((filter) => filter !== undefined) ||
  Object.keys(meta).length > 0;

/** A page of a list. */
export function pageOf(query: TaskQuery, { ids, tasks, total }: Found): TaskPage {
  const isTotalExact = !hasFilters(query) || total <= COUNTED;
  return { tasks, total: isTotalExact ? total : COUNTED, isTotalExact, hasMore: ids.length > query.limit };
}
