import { rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { startDroplet } from './droplet.js';
import { until, type HttpAnswer } from './http.client.js';
import { TestOrchestrator } from './orchestrator.js';
import { entry, TestRegistry } from './registry.js';
import { reply, type Handler, type Seen, type TestServer } from './server.js';

/** Short waits between the attempts of asynchronous tasks. */
const BRISK = { ASYNC_BACKOFF_BASE_MS: '20', ASYNC_BACKOFF_MAX_MS: '40' };

export const ASYNC = { prefer: 'respond-async' };
const FINAL = ['success', 'error', 'timeout', 'cancelled'];

/** An orchestrator that can die and live again with its store, and two droplets: `Echo` and `Other`. */
export class TaskMesh {
  private settings: Record<string, string> = {};

  private constructor(
    readonly echo: TestServer,
    readonly other: TestServer,
    readonly registry: TestRegistry,
    public orchestrator: TestOrchestrator,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<TaskMesh> {
    const [echo, other] = await Promise.all([startDroplet(), startDroplet()]);
    const registry = await TestRegistry.start([entry(3, 'Echo', echo.url), entry(4, 'Other', other.url)]);
    const all = { REGISTRY_URL: registry.url, ...BRISK, ...settings };
    const self = new TaskMesh(echo, other, registry, await TestOrchestrator.start(all));
    self.settings = all;
    return self;
  }

  async stop(): Promise<void> {
    await this.orchestrator.stop();
    await Promise.all([this.registry.stop(), this.echo.stop(), this.other.stop()]);
  }

  /** Ends the orchestrator in order and starts another one on its store. */
  async restart(): Promise<void> {
    await this.orchestrator.leave();
    await this.revive();
  }

  /** Starts another one on the store of the one that has left. */
  async revive(): Promise<void> {
    this.orchestrator = await TestOrchestrator.start(this.settings, this.orchestrator.home);
  }

  /** When there is nothing left to stop but the droplets. */
  async discard(): Promise<void> {
    rmSync(this.orchestrator.home, { recursive: true, force: true });
    await Promise.all([this.registry.stop(), this.echo.stop(), this.other.stop()]);
  }

  /** Submits a task for `echo`, to be run synchronously unless a field or header says otherwise. */
  ask(path: string, more: object = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.orchestrator.task({ droplet_name: 'echo', path, ...more }, headers);
  }

  /** Submits an asynchronous task for `echo` and resolves to its id. */
  async queue(path: string, more: object = {}, headers: Record<string, string> = {}): Promise<string> {
    const { status, json } = await this.ask(path, more, { ...ASYNC, ...headers });
    if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(json)}`);
    return json.task_id;
  }

  async record(id: string): Promise<any> {
    return (await this.orchestrator.get(`/orchestrator/tasks/${id}`)).json;
  }

  /** The record of a task once its status is one of these, any final one unless given. */
  recordWhen(id: string, statuses: readonly string[] = FINAL, ms = 10_000): Promise<any> {
    return until(async () => {
      const record = await this.record(id);
      return statuses.includes(record.status) ? record : null;
    }, ms);
  }

  async list(query = ''): Promise<any> {
    return (await this.orchestrator.get(`/orchestrator/tasks${query}`)).json;
  }

  /** From now on `echo` answers nothing until the gate is opened. */
  hold(): Gate {
    const gate = new Gate();
    this.echo.handler = gate.handler;
    return gate;
  }

  cancel(id: string): Promise<HttpAnswer> {
    return this.orchestrator.request('DELETE', `/orchestrator/tasks/${id}`);
  }

  retry(id: string): Promise<HttpAnswer> {
    return this.orchestrator.post(`/orchestrator/tasks/${id}/retry`);
  }
}

/** A droplet's handler that answers nothing until it is told to. */
export class Gate {
  /** Requests that wait for their answer. */
  readonly held: { readonly seen: Seen; readonly response: ServerResponse }[] = [];
  /** The most that ever waited at once. */
  most = 0;
  private isOpen = false;

  readonly handler: Handler = (seen, response) => {
    if (this.isOpen) return reply(response, 200, { let: 'through' });
    this.held.push({ seen, response });
    this.most = Math.max(this.most, this.held.length);
  };

  /** Answers the one that has waited longest. */
  next(status = 200): void {
    const first = this.held.shift();
    if (first) reply(first.response, status, { let: 'through' });
  }

  /** Answers all, those to come as well. */
  open(): void {
    this.isOpen = true;
    while (this.held.length > 0) this.next();
  }
}

/** So long that what should not happen would have been seen; never used to wait for what should. */
export const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
