/** A task that has come to its end, as the figures count it. */
export interface FinishedTask {
  readonly droplet: string;
  readonly status: string;
  readonly durationMs: number;
  readonly retryCount: number;
}
