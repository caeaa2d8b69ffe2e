import type { TaskTotals } from '../metrics/figures.js';
import type { TaskRecord } from '../tasks/task.js';

/** The states of finished tasks that are counted; a cancelled task is in none of the figures. */
const COUNTED = ['success', 'error', 'timeout'];

/** The sums over finished tasks, as their columns are called. */
export const SUMS = ['success', 'error', 'timeout', 'retries', 'retried_to_success', 'retried_to_failure'] as const;

export type Sums = Record<(typeof SUMS)[number], number>;

export const NO_SUMS: Sums = { success: 0, error: 0, timeout: 0, retries: 0, retried_to_success: 0, retried_to_failure: 0 };

/** True for a task that has a share in the totals. */
export const isCounted = ({ status }: TaskRecord): boolean => COUNTED.includes(status);

/** A task's share of the totals; with -1, what is taken back when it is run again. */
export function shareOf(task: TaskRecord, sign: 1 | -1): Sums {
  if (!isCounted(task)) return NO_SUMS;
  const { status, retryCount } = task;
  const isRetriedTo = (success: boolean): number => (retryCount > 0 && (status === 'success') === success ? sign : 0);
  return {
    ...NO_SUMS,
    [status]: sign,
    retries: sign * retryCount,
    retried_to_success: isRetriedTo(true),
    retried_to_failure: isRetriedTo(false),
  };
}

/** The sums as the figures want them. */
export const totalsOf = ({ retried_to_success, retried_to_failure, ...sums }: Sums): TaskTotals => ({
  ...sums,
  retriedToSuccess: retried_to_success,
  retriedToFailure: retried_to_failure,
});
