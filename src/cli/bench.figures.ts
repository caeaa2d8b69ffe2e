/** What a run came to. */
export interface Figures {
  readonly tasks: number;
  readonly seconds: number;
  readonly tasks_per_second: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** How often each outcome came: a status of a task, or the code of a refusal. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Sums up durations, in milliseconds, of what was done within a time. */
export function figuresOf(durations: readonly number[], totalMs: number, outcomes: ReadonlyMap<string, number>): Figures {
  const sorted = [...durations].sort((a, b) => a - b);
  const percentile = (p: number): number =>
    round(sorted[Math.min(Math.floor((sorted.length * p) / 100), sorted.length - 1)] ?? 0);
  return {
    ...{ tasks: sorted.length, seconds: round(totalMs / 1000), tasks_per_second: round(sorted.length / (totalMs / 1000)) },
    ...{ p50_ms: percentile(50), p95_ms: percentile(95), p99_ms: percentile(99), max_ms: round(sorted.at(-1) ?? 0) },
    outcomes: Object.fromEntries(outcomes),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
