import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { Metrics } from '../metrics/metrics.js';
import type { CallTrace } from '../tracing/spans.js';
import type { DropletPolicy } from './droplet.policy.js';
import { isAnswer } from './outcome.js';
import { Reachability } from './reachability.js';
import type { AttemptRecord, Execution, Step } from './execution.js';
import type { AttemptInfo, Cancellation, OutboundCall, Progress, RetryPlan } from './outbound.call.js';
import { RetryPolicy } from './retry.policy.js';
import { targetUrl } from './target-url.js';
import { Traffic } from './traffic.js';

/** One call to a droplet. */
export interface DropletCall {
  readonly name: string;
  /** Asked before each attempt: the droplet may have moved since the last one. May throw when it is not known. */
  readonly endpoint: () => string;
  readonly method: string;
  readonly path: string;
  /** JSON text, or null for no body. */
  readonly payload: string | null;
  /** What the droplet sees as `X-Task-Id` and `Idempotency-Key`. */
  readonly taskId: string;
  readonly requestId: string;
  readonly trace: CallTrace;
  /** The caller's own headers; they win over our defaults, never over the ones that identify the task. */
  readonly headers: Readonly<Record<string, string>>;
  readonly policy: DropletPolicy;
}

const USER_AGENT = `fpai-orchestrator/${VERSION}`;

/** Calls droplets: the headers of contract §6 on every attempt, through the RetryPolicy. */
@Injectable()
export class DropletClient {
  constructor(
    private readonly policy: RetryPolicy,
    private readonly traffic: Traffic,
    private readonly reachability: Reachability,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  /** Makes the call to its end. @throws CircuitOpenError, OverloadedError before the first attempt */
  call(call: DropletCall, plan: RetryPlan, cancellation: Cancellation): Promise<Execution> {
    return this.policy.execute(this.outbound(call), plan, cancellation);
  }

  /**
   * Makes one attempt of the call; null when it was taken back before its turn.
   * @throws CircuitOpenError when it may not be made now, OverloadedError when the deadline passed in the line
   */
  step(call: DropletCall, plan: RetryPlan, progress: Progress, abort: AbortSignal): Promise<Step | null> {
    return this.policy.step(this.outbound(call), plan, progress, abort);
  }

  private outbound(call: DropletCall): OutboundCall {
    return {
      method: call.method,
      target: () => targetUrl(call.endpoint(), call.path),
      headers: (info) => headersOf(call, info),
      body: call.payload,
      responseLimit: this.settings.RESPONSE_LIMIT,
      gate: this.traffic.of(call.name, call.policy),
      onMade: (made) => this.observe(call, made),
    };
  }

  private observe({ name: droplet, trace }: DropletCall, made: AttemptRecord): void {
    const { outcome, durationMs } = made;
    // A call that we took back ourselves says nothing of the droplet.
    if (outcome.kind !== 'aborted') this.reachability.record(droplet, isAnswer(outcome));
    this.metrics.attemptMade(droplet, outcome.kind, durationMs);
    trace.ended?.(made);
  }
}

function headersOf(call: DropletCall, { attempt, remainingMs }: AttemptInfo): Record<string, string> {
  // In this order: the caller's own win over the defaults above them, never over what identifies the task.
  const headers: Record<string, string> = { accept: '*/*', 'user-agent': USER_AGENT };
  if (call.payload !== null) headers['content-type'] = 'application/json';
  Object.assign(headers, call.headers, call.policy.headers);
  headers['accept-encoding'] = 'identity';
  headers['x-task-id'] = call.taskId;
  headers['x-task-attempt'] = String(attempt);
  headers['x-task-deadline-ms'] = String(remainingMs);
  headers['idempotency-key'] = call.taskId;
  headers['x-request-id'] = call.requestId;
  headers.traceparent = call.trace.child(attempt);
  return headers;
}
