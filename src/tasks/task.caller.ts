import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { DropletClient, type DropletCall } from '../outbound/droplet.client.js';
import type { Cancellation, Execution, Progress, Step } from '../outbound/retry.policy.js';
import { targetUrl, type Target } from '../outbound/target-url.js';
import { TraceContext } from '../outbound/trace-context.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import type { Droplet } from '../registry/droplet.js';
import { asynchronousPlan, synchronousPlan } from './retry.plan.js';
import type { TaskRecord, TaskRequest } from './task.js';

/** The part of a task that a call needs. */
export type CallableTask = Pick<TaskRecord, 'id' | 'dropletName' | 'method' | 'path'> & { readonly request: TaskRequest };

/** Makes the calls of tasks, wherever their droplet lives at that moment. */
@Injectable()
export class TaskCaller {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly client: DropletClient,
    private readonly settings: Settings,
  ) {}

  /** The droplet that a task names, and where its path leads. @throws DropletNotFoundError, InvalidRequestError */
  async resolve(name: string, path: string): Promise<{ droplet: Droplet; target: Target }> {
    const droplet = await this.directory.resolve(name);
    return { droplet, target: targetUrl(droplet.endpoint, path) };
  }

  /** Makes the whole call, waits included. */
  run(task: CallableTask, droplet: Droplet, cancellation: Cancellation): Promise<Execution> {
    const call = this.call(task, droplet.name, () => (this.directory.current(droplet.name) ?? droplet).endpoint);
    return this.client.call(call, synchronousPlan(task.request, this.settings), cancellation);
  }

  /** Makes one attempt, also when the droplet is not known at this moment: it may be back for the next one. */
  async step(task: CallableTask, progress: Progress, abort: AbortSignal): Promise<Step> {
    const droplet = await this.directory.resolve(task.dropletName).catch((error: unknown) => error);
    const endpoint = (): string => {
      if (droplet instanceof Error) throw droplet;
      return (droplet as Droplet).endpoint;
    };
    const call = this.call(task, this.nameOf(task.dropletName), endpoint);
    return this.client.step(call, asynchronousPlan(task.request, this.settings), progress, abort);
  }

  /** What the figures call a droplet: its own name, however a caller typed it. */
  nameOf(typed: string): string {
    return this.directory.current(typed)?.name ?? typed.toLowerCase();
  }

  /** The Registry's word on a droplet, for the account of a failure. */
  statusOf(name: string): string {
    return this.directory.current(name)?.status ?? 'unknown';
  }

  private call({ id, method, path, request }: CallableTask, name: string, endpoint: () => string): DropletCall {
    const { payload, headers, requestId, traceparent } = request;
    return {
      name,
      endpoint,
      method,
      path,
      taskId: id,
      payload,
      headers,
      requestId,
      trace: TraceContext.from(traceparent ?? undefined),
    };
  }
}
