export const BREAKER_STATES = ['closed', 'half-open', 'open', 'paused'] as const;

/** Finished tasks ever, as the store keeps them; contract §4. */
export interface TaskTotals {
  readonly success: number;
  readonly error: number;
  readonly timeout: number;
  /** The sum of each task's failed attempts. */
  readonly retries: number;
  readonly retriedToSuccess: number;
  readonly retriedToFailure: number;
}

/** What the droplet list is like at this moment. */
export interface RegistryFigures {
  readonly cacheAgeSeconds: number;
  readonly cacheStatus: string;
  readonly known: number;
  readonly reachable: number;
}

/** How the calls to one droplet go at this moment. */
export interface TrafficFigures {
  readonly droplet: string;
  readonly breaker: (typeof BREAKER_STATES)[number];
  readonly inFlight: number;
  readonly waiting: number;
}

/** What waits or runs in the queue at this moment. */
export interface QueueFigures {
  /** In all processes; of a shared store, with what runs in others. */
  readonly waiting: number;
  /** In this one. */
  readonly running: number;
  /** For how long the oldest that waits has been due; 0 for none. */
  readonly oldestDueMs: number;
}

export interface SyncFigures {
  readonly total: number;
  readonly success: number;
  readonly error: number;
  /** Epoch milliseconds of the last good sync. */
  readonly lastSync: number | null;
  readonly lastDurationMs: number;
}

export interface FinishedTask {
  readonly droplet: string;
  readonly status: string;
  readonly durationMs: number;
  readonly retryCount: number;
}

/** Where the figures come from that are computed when asked; their owners hand them in. */
export interface FigureSources {
  totals: () => Promise<TaskTotals>;
  registry: () => RegistryFigures;
  /** Of the droplets that had calls. */
  traffic: () => readonly TrafficFigures[];
  /** Asks the store; may throw. */
  queue: () => QueueFigures;
  /** Jobs that wait or run, in all processes; asks nobody. */
  queued: () => number;
  eventReaders: () => number;
  isStoreWritable: () => boolean;
}
