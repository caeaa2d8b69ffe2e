/** How the waits between attempts grow. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** `full`: anything from 0 up to the delay, so that callers who failed together do not come back together. */
  readonly jitter: 'full' | 'none';
}

/** The wait after the nth failure: min(max, base·2^(n-1)), then jitter; contract §6. */
export function backoffMs({ baseMs, maxMs, jitter }: Backoff, failures: number, random: () => number): number {
  const delay = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return jitter === 'full' ? random() * delay : delay;
}
