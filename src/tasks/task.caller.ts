import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { DropletClient, type DropletCall } from '../outbound/droplet.client.js';
import type { Execution, Step } from '../outbound/execution.js';
import type { Cancellation, Progress } from '../outbound/outbound.call.js';
import type { DropletPolicy } from '../outbound/droplet.policy.js';
import type { Room } from '../outbound/droplet.traffic.js';
import { targetUrl, type Target } from '../outbound/target-url.js';
import { TraceContext } from '../outbound/trace-context.js';
import { Traffic } from '../outbound/traffic.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import { PolicyBook } from '../registry/policy.book.js';
import type { Droplet } from '../registry/droplet.js';
import type { CallTrace, Spans } from '../tracing/spans.js';
import { Tracing } from '../tracing/tracing.js';
import { asynchronousPlan, synchronousPlan } from './retry.plan.js';
import type { TaskRecord, TaskRequest } from './task.js';

/** The part of a task that a call needs. */
export type CallableTask = Pick<TaskRecord, 'id' | 'dropletName' | 'method' | 'path'> & { readonly request: TaskRequest };

/** A droplet, and where a task's path leads there. */
export interface Place {
  readonly droplet: Droplet;
  readonly target: Target;
}

/** Makes the calls of tasks, wherever their droplet lives at that moment. */
@Injectable()
export class TaskCaller {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly client: DropletClient,
    private readonly policies: PolicyBook,
    private readonly traffic: Traffic,
    private readonly settings: Settings,
    private readonly tracing: Tracing,
  ) {}

  /** The droplet that a task names, and where its path leads; at once where nothing must be asked. @throws DropletNotFoundError, InvalidRequestError */
  resolve(name: string, path: string): Place | Promise<Place> {
    const found = this.directory.resolve(name);
    return found instanceof Promise ? found.then((droplet) => placeIn(droplet, path)) : placeIn(found, path);
  }

  /** Makes the whole call, waits included. */
  run(task: CallableTask, droplet: Droplet, cancellation: Cancellation): Promise<Execution> {
    const policy = this.policies.policyOf(droplet);
    const endpoint = (): string => (this.directory.current(droplet.name) ?? droplet).endpoint;
    const call = this.call(task, { name: droplet.name, endpoint, policy });
    return this.client.call(call, synchronousPlan(task.request, this.settings, policy), cancellation);
  }

  /**
   * Makes one attempt, also when the droplet is not known at this moment: it may be back for the next one.
   * Null when it was taken back before its turn.
   * @throws CircuitOpenError when it may not be made now, OverloadedError when the deadline passed in the line
   */
  async step(task: CallableTask, progress: Progress, abort: AbortSignal): Promise<Step | null> {
    const [found] = await Promise.allSettled([this.directory.resolve(task.dropletName)]);
    const endpoint = (): string => {
      if (found.status === 'rejected') throw found.reason;
      return found.value.endpoint;
    };
    const policy = this.policyOf(task.dropletName);
    const call = this.call(task, { name: this.nameOf(task.dropletName), endpoint, policy });
    return this.client.step(call, asynchronousPlan(task.request, this.settings, policy), progress, abort);
  }

  /** How a droplet is called, by its name as a caller typed it. */
  policyOf(typed: string): DropletPolicy {
    return this.policies.policyOf(this.directory.current(typed) ?? { name: typed, metadata: null });
  }

  /** @throws CircuitOpenError while no call to the droplet passes */
  refuseIfShut(droplet: Droplet): void {
    this.traffic.of(droplet.name, this.policies.policyOf(droplet)).refuseIfShut();
  }

  /** Charges a retry to a droplet's budget; false when that is spent. */
  takeRetry(typed: string): boolean {
    return this.traffic.of(this.nameOf(typed)).takeRetry();
  }

  /** How many asynchronous calls to a droplet may run side by side. */
  roomOf(typed: string): Room {
    return this.traffic.of(this.nameOf(typed), this.policyOf(typed)).room();
  }

  /** What the figures call a droplet: its own name, however a caller typed it. */
  nameOf(typed: string): string {
    return this.directory.current(typed)?.name ?? typed.toLowerCase();
  }

  /** The Registry's word on a droplet, for the account of a failure. */
  statusOf(name: string): string {
    return this.directory.current(name)?.status ?? 'unknown';
  }

  private call(task: CallableTask, { name, endpoint, policy }: Pick<DropletCall, 'name' | 'endpoint' | 'policy'>): DropletCall {
    const { id, method, path, request } = task;
    const { payload, headers, requestId, traceparent } = request;
    const { spans } = this.tracing;
    return {
      name,
      endpoint,
      policy,
      method,
      path,
      taskId: id,
      payload,
      headers: spans ? passingOn(headers, spans) : headers,
      requestId,
      trace: spans ? attemptsOf(task, name, spans) : TraceContext.from(traceparent ?? undefined),
    };
  }
}

const placeIn = (droplet: Droplet, path: string): Place => ({ droplet, target: targetUrl(droplet.endpoint, path) });

/** The attempts of a task, each with a span of its own. */
const attemptsOf = ({ id, method, request }: CallableTask, droplet: string, spans: Spans): CallTrace =>
  spans.call({ droplet, method, taskId: id, lastAttempt: request.lastAttempt ?? null });

/** With the caller's `tracestate`, if there was one. */
const passingOn = (headers: DropletCall['headers'], { tracestate }: Spans): DropletCall['headers'] =>
  tracestate === null ? headers : { ...headers, tracestate };
