// Written by "npm run openapi" from openapi.json: do not edit.

export interface Attempt {
  /** Its number */
  readonly attempt: number;
  /** When it was made, epoch seconds */
  readonly started_at: number;
  /** How long it took */
  readonly duration_ms: number;
  /** What the droplet answered */
  readonly response_status: number | null;
  /** How it failed; null for a success */
  readonly error_code:
    'DROPLET_ERROR' | 'DROPLET_UNREACHABLE' | 'TIMEOUT' | 'RESPONSE_TOO_LARGE' | 'CANCELLED' | 'INTERRUPTED' | null;
  /** The wait before it */
  readonly delay_ms: number;
  /** Which endpoint was called; null when the droplet was not known */
  readonly endpoint: string | null;
  /** Whether the request may have taken effect at the droplet */
  readonly effect: 'none' | 'unknown';
}

export interface BatchAccepted {
  /** The id of the task */
  readonly task_id: string;
  /** Where the task stands; the last four are final */
  readonly status: 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';
}

export interface BatchRefused {
  readonly error: Failure;
}

export interface BatchResult {
  /** One for each task, in their order */
  readonly results: readonly (BatchAccepted | BatchRefused)[];
  /** How many were accepted */
  readonly accepted: number;
  /** How many were refused */
  readonly rejected: number;
}

export interface BreakerCommand {
  /** `open`: no call passes; `closed`: all do, whatever fails; `auto`: by its failures */
  readonly state: 'open' | 'closed' | 'auto';
}

export interface CallbackState {
  /** Where it stands */
  readonly status: 'pending' | 'delivered' | 'failed';
  /** Deliveries tried */
  readonly attempts: number;
  /** How the last one failed */
  readonly last_error: string | null;
}

export interface Droplet {
  /** Its id in the Registry */
  readonly id: number | string;
  /** Its name */
  readonly name: string;
  /** Where it is called */
  readonly endpoint: string;
  /** The same as `endpoint` */
  readonly url: string;
  /** What it says of itself */
  readonly version: string | null;
  /** What it says of itself */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Who looks after it */
  readonly steward: string | null;
  /** The Registry’s word: `active`, `inactive`, `error` */
  readonly status: string;
  /** What it says of itself: any JSON value */
  readonly proof: unknown;
  /** What it says of itself */
  readonly cost_usd: number;
  /** What it says of itself */
  readonly yield_usd: number;
  /** When it was registered, as the Registry writes it */
  readonly registered_at: string | null;
  /** When its entry last changed, as the Registry writes it */
  readonly updated_at: string | null;
  /** How its calls from here go */
  readonly health: {
    /** How its calls go; `unknown` before the first */
    readonly state: 'up' | 'degraded' | 'down' | 'unknown';
    /** Whether calls pass: `open` and `paused` hold them */
    readonly breaker: 'closed' | 'open' | 'half-open' | 'paused';
    /** Calls under way */
    readonly in_flight: number;
    /** Of the last minute; null without calls */
    readonly success_rate_percent: number | null;
    /** Of the last minute; null without calls */
    readonly p95_ms: number | null;
  };
}

export interface DropletAnswer {
  readonly droplet: Droplet;
  /** When it was answered, ISO 8601 UTC */
  readonly timestamp: string;
}

export interface DropletList {
  /** Every one that is known */
  readonly droplets: readonly Droplet[];
  /** How fresh the list is */
  readonly cache_status: 'active' | 'stale' | 'unavailable';
  /** `registry` when this request waited for a refresh, or the Registry is built in */
  readonly served_from: 'registry' | 'cache';
  /** How many */
  readonly total: number;
  /** When it was answered, ISO 8601 UTC */
  readonly timestamp: string;
}

export interface Failure {
  /** Which error: the one thing to decide by */
  readonly code:
    | 'INVALID_REQUEST'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'DROPLET_NOT_FOUND'
    | 'TASK_NOT_FOUND'
    | 'NOT_FOUND'
    | 'METHOD_NOT_ALLOWED'
    | 'PAYLOAD_TOO_LARGE'
    | 'UNAUTHORIZED'
    | 'FORBIDDEN'
    | 'RATE_LIMITED'
    | 'CONFLICT'
    | 'IDEMPOTENCY_MISMATCH'
    | 'OVERLOADED'
    | 'CIRCUIT_OPEN'
    | 'REGISTRY_ERROR'
    | 'STORAGE_UNAVAILABLE'
    | 'NOT_READY'
    | 'INTERNAL_ERROR';
  /** A sentence for people */
  readonly message: string;
  /** What more there is to say, by code */
  readonly details: Readonly<Record<string, unknown>> | null;
}

export interface Health {
  /** `inactive` while it leaves; `error` without a droplet list or a store */
  readonly status: 'active' | 'inactive' | 'error';
  /** Always `orchestrator` */
  readonly service: string;
  /** Its version */
  readonly version: string;
  /** When it was answered, ISO 8601 UTC */
  readonly timestamp: string;
  /** DROPLET_ID */
  readonly id: number;
  /** SERVICE_NAME */
  readonly name: string;
  /** STEWARD */
  readonly steward: string | null;
  /** PUBLIC_URL */
  readonly endpoint: string;
  /** The same as `timestamp`, ISO 8601 UTC */
  readonly updated_at: string;
  readonly dependencies: {
    readonly registry: {
      /** Last sync good, answered badly, or not answered */
      readonly status: 'healthy' | 'degraded' | 'unhealthy';
      /** Where it is */
      readonly url: string;
      /** How the last sync failed; only there when it did */
      readonly error?: string | undefined;
    };
    readonly cache: {
      /** How fresh the droplet list is */
      readonly status: 'active' | 'stale' | 'unavailable';
      /** Its age; 999999 when there never was one */
      readonly age_seconds: number;
      /** How many it holds */
      readonly droplet_count: number;
    };
    readonly storage: {
      /** Whether the store takes writes */
      readonly status: 'healthy' | 'unhealthy';
    };
  };
}

export interface ListedTask {
  /** The id of the task */
  readonly id: string;
  /** As it was typed */
  readonly droplet_name: string;
  /** The method */
  readonly method: string;
  /** The path, with its query */
  readonly path: string;
  /** Where the task stands; the last four are final */
  readonly status: 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';
  /** Where the droplet was called */
  readonly target_url: string;
  /** What the droplet answered; null when there was no answer */
  readonly response_status: number | null;
  /** Failed attempts: 0 on a success at first try */
  readonly retry_count: number;
  /** Attempts made */
  readonly attempts: number;
  /** From the first attempt to the end; null until then */
  readonly duration_ms: number | null;
  /** Why it did not succeed; null when it did, or is not over */
  readonly error: TaskError | null;
  /** When it was accepted, epoch seconds */
  readonly created_at: number;
  /** When it became final; null until then, epoch seconds */
  readonly completed_at: number | null;
  /** The message of `error` */
  readonly error_message: string | null;
  /** As it was submitted */
  readonly meta: Readonly<Record<string, string>> | null;
  /** 9 first */
  readonly priority: number;
  /** When an asynchronous task was first due; null for a synchronous one, ISO 8601 UTC */
  readonly run_at: string | null;
  /** How the delivery of its callback goes; null without one */
  readonly callback: CallbackState | null;
  /** What the droplet answered: a JSON value of any kind, with its numbers as written; text that is no JSON as a string; null for an empty body. A stored one that is too large is replaced by an object with `_truncated`. */
  readonly response_body: unknown;
}

export interface Metrics {
  /** SERVICE_NAME */
  readonly service: string;
  /** Its version */
  readonly version: string;
  /** Since the process started, to two decimals */
  readonly uptime_seconds: number;
  readonly tasks: {
    /** Finished tasks ever, without the cancelled ones */
    readonly total: number;
    /** Of them successes */
    readonly success: number;
    /** Of them errors */
    readonly error: number;
    /** Of them timeouts */
    readonly timeout: number;
    /** Their share, to two decimals */
    readonly success_rate_percent: number;
    /** Of the last 10,000, to two decimals */
    readonly avg_response_time_ms: number;
    /** Of the last 10,000, to two decimals */
    readonly p95_response_time_ms: number;
    /** Of the last 10,000, to two decimals */
    readonly p99_response_time_ms: number;
  };
  readonly retry: {
    /** All failed attempts of finished tasks */
    readonly total_retries: number;
    /** Tasks that had failed attempts and came to a success */
    readonly retry_success_count: number;
    /** Tasks that had failed attempts and failed */
    readonly retry_final_fail_count: number;
  };
  readonly registry: {
    /** Reads of the Registry */
    readonly syncs_total: number;
    /** Of them good ones */
    readonly syncs_success: number;
    /** Of them failed ones */
    readonly syncs_error: number;
    /** When the last good one was; null before it, epoch seconds */
    readonly last_sync: number | null;
    /** How long it took */
    readonly last_sync_duration_ms: number;
    /** The age of the list; 999999 when there never was one, to two decimals */
    readonly cache_age_seconds: number;
    /** How fresh the list is */
    readonly cache_status: 'active' | 'stale' | 'unavailable';
  };
  /** How many the list holds */
  readonly droplets_known: number;
  /** Of them those whose last call was answered, or that were not called yet */
  readonly droplets_reachable: number;
}

export interface NewDroplet {
  /** Where it is called; this or `url` is needed */
  readonly endpoint?: string | null | undefined;
  /** Taken for `endpoint` */
  readonly url?: string | null | undefined;
  /** Who looks after it */
  readonly steward?: string | null | undefined;
  /** How it is; one that is not active is still called when named */
  readonly status?: 'active' | 'inactive' | 'error' | null | undefined;
  /** Whatever it says of itself; `policy` in it holds its traffic policy */
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined;
  /** Its version */
  readonly version?: string | null | undefined;
  /** Any JSON value */
  readonly proof?: unknown;
  /** Whatever it says of itself */
  readonly cost_usd?: number | null | undefined;
  /** Whatever it says of itself */
  readonly yield_usd?: number | null | undefined;
  /** Unique */
  readonly name: string;
  /** Given by the Registry when it is not said */
  readonly id?: number | null | undefined;
}

export interface Registered {
  /** Always true */
  readonly success: true;
  /** The id it got */
  readonly droplet_id: number;
  /** A sentence for people */
  readonly message: string;
}

export interface Removed {
  /** Always true */
  readonly success: true;
  /** A sentence for people */
  readonly message: string;
  /** When, ISO 8601 UTC */
  readonly deleted_at: string;
}

export interface RetryTasks {
  /** Which: error, timeout or cancelled; error and timeout when it is not said */
  readonly status?: 'error' | 'timeout' | 'cancelled' | null | undefined;
  /** Only tasks of this droplet */
  readonly droplet_name?: string | null | undefined;
  /** Only tasks younger than this: epoch seconds or ISO 8601 */
  readonly created_after?: number | string | null | undefined;
  /** Only tasks older than this: epoch seconds or ISO 8601 */
  readonly created_before?: number | string | null | undefined;
  /** The most that are run again; 1000 unless said */
  readonly limit?: number | null | undefined;
  /** How many become due a second; all at once unless said */
  readonly rate_per_second?: number | null | undefined;
}

export interface Scheduled {
  /** How many will run again */
  readonly scheduled: number;
}

export interface SubmitTask {
  /** The name of the droplet, without regard to case */
  readonly droplet_name: string;
  /** Upper case only */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | undefined;
  /** Begins with one `/`; appended to the droplet’s endpoint. Refused, never repaired: a fragment, `\`, `%00`, `%2f`, `%5c` before the query, and `.` or `..` as a segment. */
  readonly path: string;
  /** Any JSON value; sent as the JSON body, with its numbers as written, unless it is null */
  readonly payload?: unknown;
  /** Words of the caller’s own: stored with the task, and a filter of the list */
  readonly meta?: Readonly<Record<string, string>> | null | undefined;
  /** Sent to the droplet: at most 32 and 8 KiB. Refused: the connection’s, Host, Cookie, Expect, Accept-Encoding, Proxy-*, X-Forwarded-*, X-Task-*, Idempotency-Key, X-Request-ID, traceparent, tracestate. `Authorization` is passed on by synchronous tasks only, and never stored. */
  readonly headers?: Readonly<Record<string, string>> | null | undefined;
  /** The deadline of the whole task with all attempts and waits; at most 600000 for a synchronous one */
  readonly timeout_ms?: number | null | undefined;
  /** The deadline of one attempt, its body included */
  readonly attempt_timeout_ms?: number | null | undefined;
  /** Attempts in all */
  readonly max_attempts?: number | null | undefined;
  /** May a POST or PATCH be repeated when it is unknown whether it took effect; true unless said */
  readonly retry_unsafe?: boolean | null | undefined;
  /** Of asynchronous tasks: 9 first, 5 unless said */
  readonly priority?: number | null | undefined;
  /** Makes the task asynchronous: first due after this long */
  readonly delay_ms?: number | null | undefined;
  /** Makes the task asynchronous: first due then, ISO 8601 */
  readonly run_at?: string | null | undefined;
  /** An https URL that is told of the end, signed; needs `CALLBACK_SECRET` */
  readonly callback_url?: string | null | undefined;
}

export interface TaskError {
  /** What kind of failure */
  readonly code: 'DROPLET_ERROR' | 'DROPLET_UNREACHABLE' | 'TIMEOUT' | 'RESPONSE_TOO_LARGE' | 'CANCELLED' | 'INTERRUPTED';
  /** A sentence for people */
  readonly message: string;
  readonly details: {
    /** Whether the request may have taken effect at the droplet */
    readonly effect: 'none' | 'unknown';
    /** What stopped further attempts; null when the failure deserved none */
    readonly stopped_by: 'attempts' | 'deadline' | 'budget' | 'breaker' | null;
    /** `address_refused` when the droplet’s address may not be called */
    readonly reason?: string | undefined;
    /** The Registry’s word on a droplet that is not active */
    readonly droplet_status?: string | undefined;
  };
}

/** The data of an event: the task without what was answered */
export interface TaskEvent {
  /** The id of the task */
  readonly id: string;
  /** As it was typed */
  readonly droplet_name: string;
  /** The method */
  readonly method: string;
  /** The path, with its query */
  readonly path: string;
  /** Where the task stands; the last four are final */
  readonly status: 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';
  /** Where the droplet was called */
  readonly target_url: string;
  /** What the droplet answered; null when there was no answer */
  readonly response_status: number | null;
  /** Failed attempts: 0 on a success at first try */
  readonly retry_count: number;
  /** Attempts made */
  readonly attempts: number;
  /** From the first attempt to the end; null until then */
  readonly duration_ms: number | null;
  /** Why it did not succeed; null when it did, or is not over */
  readonly error: TaskError | null;
  /** When it was accepted, epoch seconds */
  readonly created_at: number;
  /** When it became final; null until then, epoch seconds */
  readonly completed_at: number | null;
  /** The message of `error` */
  readonly error_message: string | null;
  /** As it was submitted */
  readonly meta: Readonly<Record<string, string>> | null;
  /** 9 first */
  readonly priority: number;
  /** When an asynchronous task was first due; null for a synchronous one, ISO 8601 UTC */
  readonly run_at: string | null;
  /** How the delivery of its callback goes; null without one */
  readonly callback: CallbackState | null;
}

export interface TaskPage {
  /** Newest first */
  readonly tasks: readonly ListedTask[];
  /** All matches, before limit and cursor */
  readonly total: number;
  /** The most that a page holds */
  readonly limit: number;
  /** False when `total` is a lower bound, which it may be above 10,000 with filters */
  readonly total_exact: boolean;
  /** Give it as `cursor` for the next page; null on the last */
  readonly next_cursor: string | null;
}

export interface TaskRecord {
  /** The id of the task */
  readonly id: string;
  /** As it was typed */
  readonly droplet_name: string;
  /** The method */
  readonly method: string;
  /** The path, with its query */
  readonly path: string;
  /** Where the task stands; the last four are final */
  readonly status: 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';
  /** Where the droplet was called */
  readonly target_url: string;
  /** What the droplet answered; null when there was no answer */
  readonly response_status: number | null;
  /** Failed attempts: 0 on a success at first try */
  readonly retry_count: number;
  /** Attempts made */
  readonly attempts: number;
  /** From the first attempt to the end; null until then */
  readonly duration_ms: number | null;
  /** Why it did not succeed; null when it did, or is not over */
  readonly error: TaskError | null;
  /** When it was accepted, epoch seconds */
  readonly created_at: number;
  /** When it became final; null until then, epoch seconds */
  readonly completed_at: number | null;
  /** The message of `error` */
  readonly error_message: string | null;
  /** As it was submitted */
  readonly meta: Readonly<Record<string, string>> | null;
  /** 9 first */
  readonly priority: number;
  /** When an asynchronous task was first due; null for a synchronous one, ISO 8601 UTC */
  readonly run_at: string | null;
  /** How the delivery of its callback goes; null without one */
  readonly callback: CallbackState | null;
  /** What the droplet answered: a JSON value of any kind, with its numbers as written; text that is no JSON as a string; null for an empty body. A stored one that is too large is replaced by an object with `_truncated`. */
  readonly response_body: unknown;
  /** Every attempt, oldest first */
  readonly history: readonly Attempt[];
}

export interface TaskResult {
  /** The id of the task */
  readonly task_id: string;
  /** Where the task stands; the last four are final */
  readonly status: 'queued' | 'running' | 'success' | 'error' | 'timeout' | 'cancelled';
  /** Where the droplet was called */
  readonly target_url: string;
  /** What the droplet answered; null when there was no answer */
  readonly response_status: number | null;
  /** Failed attempts: 0 on a success at first try */
  readonly retry_count: number;
  /** Attempts made */
  readonly attempts: number;
  /** From the first attempt to the end; null until then */
  readonly duration_ms: number | null;
  /** Why it did not succeed; null when it did, or is not over */
  readonly error: TaskError | null;
  /** What the droplet answered: a JSON value of any kind, with its numbers as written; text that is no JSON as a string; null for an empty body. A stored one that is too large is replaced by an object with `_truncated`. */
  readonly response_body: unknown;
  /** False when the store failed after the call: this answer is then all there is */
  readonly recorded: boolean;
}
