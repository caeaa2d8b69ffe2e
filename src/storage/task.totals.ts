import type { TaskTotals } from '../metrics/figures.js';
import type { TaskRecord, TaskStatus } from '../tasks/task.js';

/** The states of finished tasks that are counted; a cancelled task is in none of the figures. */
const COUNTED = ['success', 'error', 'timeout'] as const;
type Counted = (typeof COUNTED)[number];

/** The sums over finished tasks, as their columns are called. */
export const SUMS = ['success', 'error', 'timeout', 'retries', 'retried_to_success', 'retried_to_failure'] as const;

export type Sums = Record<(typeof SUMS)[number], number>;

export const NO_SUMS: Readonly<Sums> = {
  success: 0,
  error: 0,
  timeout: 0,
  retries: 0,
  retried_to_success: 0,
  retried_to_failure: 0,
};

const isCounted = (status: TaskStatus): status is Counted => (COUNTED as readonly TaskStatus[]).includes(status);

/** Adds a task's share to the sums; with -1, what is taken back when it is run again. */
export function addShare(sums: Sums, { status, retryCount }: TaskRecord, sign: 1 | -1): void {
  if (!isCounted(status)) return;
  sums[status] += sign;
  if (retryCount === 0) return;
  sums.retries += sign * retryCount;
  sums[status === 'success' ? 'retried_to_success' : 'retried_to_failure'] += sign;
}

/** The sums as the figures want them. */
export const totalsOf = ({ retried_to_success, retried_to_failure, ...sums }: Sums): TaskTotals => ({
  ...sums,
  retriedToSuccess: retried_to_success,
  retriedToFailure: retried_to_failure,
});
