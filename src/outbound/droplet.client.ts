import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { Metrics } from '../metrics/metrics.js';
import { isAnswer } from './outcome.js';
import { Reachability } from './reachability.js';
import { RetryPolicy, type AttemptInfo, type Cancellation, type Execution, type RetryPlan } from './retry.policy.js';
import { targetUrl } from './target-url.js';
import type { TraceContext } from './trace-context.js';

/** The part of a Registry entry that a call needs. */
interface Callee {
  readonly name: string;
  readonly endpoint: string;
}

/** One call to a droplet. */
export interface DropletCall {
  /** Asked before each attempt: the droplet may have moved since the last one. */
  readonly droplet: () => Callee;
  readonly method: string;
  readonly path: string;
  /** JSON text, or null for no body. */
  readonly payload: string | null;
  /** What the droplet sees as `X-Task-Id` and `Idempotency-Key`. */
  readonly taskId: string;
  readonly requestId: string;
  readonly trace: TraceContext;
  /** The caller's own headers; they win over our defaults, never over the ones that identify the task. */
  readonly headers: Readonly<Record<string, string>>;
}

const USER_AGENT = `fpai-orchestrator/${VERSION}`;

/** Calls droplets: the headers of contract §6 on every attempt, through the RetryPolicy. */
@Injectable()
export class DropletClient {
  constructor(
    private readonly policy: RetryPolicy,
    private readonly reachability: Reachability,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  /** @throws InvalidRequestError when the path would leave the droplet */
  async call(call: DropletCall, plan: RetryPlan, cancellation: Cancellation): Promise<Execution> {
    const outbound = {
      method: call.method,
      target: () => targetUrl(call.droplet().endpoint, call.path),
      headers: (info: AttemptInfo) => headersOf(call, info),
      body: call.payload,
      responseLimit: this.settings.RESPONSE_LIMIT,
    };
    const execution = await this.policy.execute(outbound, plan, cancellation);
    const { name } = call.droplet();
    this.reachability.record(name, isAnswer(execution.outcome));
    for (const { outcome, durationMs } of execution.attempts) this.metrics.attemptMade(name, outcome.kind, durationMs);
    return execution;
  }
}

function headersOf(call: DropletCall, { attempt, remainingMs }: AttemptInfo): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': USER_AGENT,
    ...(call.payload === null ? {} : { 'content-type': 'application/json' }),
    ...call.headers,
    'accept-encoding': 'identity',
    'x-task-id': call.taskId,
    'x-task-attempt': String(attempt),
    'x-task-deadline-ms': String(remainingMs),
    'idempotency-key': call.taskId,
    'x-request-id': call.requestId,
    traceparent: call.trace.child(),
  };
}
