import type { IncomingHttpHeaders } from 'node:http';

/** A request to us, as its span tells of it. */
export interface TracedRequest {
  readonly id: string;
  readonly method: string;
  /** The pattern of its route; null when there is none. */
  readonly route: string | null;
  /** Without the query. */
  readonly path: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
}

/** The span of a request that is being answered. */
export interface RequestSpan {
  /** Names it to whatever follows from the request. */
  readonly traceparent: string;
  /** Runs code that belongs to it. */
  run(code: () => void): void;
  /** @param status of the answer; null when it never left */
  end(status: number | null): void;
}

/** A task that is about to run. */
export interface TracedTask {
  readonly id: string;
  readonly dropletName: string;
  readonly method: string;
}

/** What is stored with a task so that its later attempts stay in its trace. */
export interface StoredTrace {
  readonly traceparent: string | null;
  /** The caller's `tracestate`. */
  readonly tracestate?: string;
  /** The `traceparent` of the last attempt. */
  readonly lastAttempt?: string;
}

/** How a task stands. */
export interface TaskStand {
  readonly status: string;
  readonly attempts: number;
  readonly error: { readonly code: string } | null;
}

/** A call whose attempts get a span each. */
export interface TracedCall {
  readonly droplet: string;
  readonly method: string;
  readonly taskId: string;
  /** The `traceparent` of an attempt that was made before this call. */
  readonly lastAttempt: string | null;
}

/** An attempt as it was made. */
export interface TracedAttempt {
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly target: { readonly url: string } | null;
  readonly outcome: { readonly kind: string; readonly status?: number };
}

/** The trace that a call belongs to. */
export interface CallTrace {
  /** The `traceparent` of an attempt, a span of its own. */
  child(attempt: number): string;
  /** An attempt is over. Left out where nobody wants to know. */
  readonly ended?: (made: TracedAttempt) => void;
}

/** Makes the spans of requests, tasks and attempts: a port. */
export abstract class Spans {
  /** Begins the span of a request, below the caller's. */
  abstract request(request: TracedRequest): RequestSpan;

  /** Runs a task in a span below that of its request; `stored` for one whose request is over. */
  abstract task<T>(task: TracedTask, work: () => Promise<T>, stored?: StoredTrace): Promise<T>;

  /** Says how the task stands that runs here. */
  abstract stands(task: TaskStand): void;

  /** The attempts of a call, below the task that runs here. */
  abstract call(call: TracedCall): CallTrace;

  /** What to store with a task that is to run later. */
  abstract toStore<T extends StoredTrace>(known: T): T;

  /** The `tracestate` that goes out from here. */
  abstract readonly tracestate: string | null;

  /** Sends what waits, for as long as that may take, and ends. */
  abstract close(): Promise<void>;
}
