/** What the page reads of the API's answers. */

export type TaskStatus = 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';

export interface Task {
  readonly id: string;
  readonly droplet_name: string;
  readonly target_url: string;
  readonly method: string;
  readonly path: string;
  readonly status: TaskStatus;
  readonly response_status: number | null;
  readonly retry_count: number;
  readonly attempts: number;
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly duration_ms: number | null;
  readonly error_message: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly details: Record<string, unknown> | null } | null;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly priority: number;
  readonly run_at: string | null;
  readonly callback: { readonly status: string; readonly attempts: number; readonly last_error: string | null } | null;
}

interface Attempt {
  readonly attempt: number;
  readonly started_at: number;
  readonly duration_ms: number;
  readonly response_status: number | null;
  readonly error_code: string | null;
  readonly delay_ms: number;
  readonly endpoint: string | null;
}

export interface TaskRecord extends Task {
  readonly response_body: unknown;
  readonly history: readonly Attempt[];
}

export interface TaskPage {
  readonly tasks: readonly Task[];
  readonly total: number;
}

type DropletState = 'up' | 'degraded' | 'down' | 'unknown';

export interface Droplet {
  readonly id: number | string;
  readonly name: string;
  readonly endpoint: string;
  readonly version: string | null;
  readonly steward: string | null;
  readonly status: string;
  readonly updated_at: string | null;
  readonly health: {
    readonly state: DropletState;
    readonly breaker: 'closed' | 'half-open' | 'open' | 'paused';
    readonly in_flight: number;
    readonly success_rate_percent: number | null;
    readonly p95_ms: number | null;
  };
}

export interface Sample {
  readonly at: number;
  readonly seconds: number;
  readonly success: number;
  readonly error: number;
  readonly timeout: number;
  readonly cancelled: number;
  readonly retries: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly queued: number;
  readonly in_flight: number;
  readonly waiting: number;
}

export interface History {
  readonly step_seconds: number;
  readonly samples: readonly Sample[];
  readonly current: Sample;
}

export interface Health {
  readonly status: string;
  readonly version: string;
  readonly name: string;
  readonly dependencies: {
    readonly registry: { readonly status: string; readonly error?: string };
    readonly cache: { readonly status: string };
    readonly storage: { readonly status: string };
  };
}
