import type {
  BatchResult,
  BreakerCommand,
  Droplet,
  DropletAnswer,
  DropletList,
  Health,
  ListedTask,
  Metrics,
  NewDroplet,
  Registered,
  Removed,
  RetryTasks,
  Scheduled,
  SubmitTask,
  TaskPage,
  TaskRecord,
  TaskResult,
} from './api.types.js';
import { pause, type Limits } from './deadline.js';
import type { JsonText } from './json.text.js';
import { submitLater, submitNow, type EnqueueOptions, type SubmitOptions } from './submission.js';
import { taskEvents, type EventOptions, type TaskChange } from './task.events.js';
import { isFinal, queryText, type TaskFilter, type TaskPageFilter } from './task.filter.js';
import { Transport, type ClientOptions } from './transport.js';

export interface WaitOptions extends Limits {
  /** How long to wait at most; as long as it takes unless said. The record is then given as it stands. */
  readonly waitMs?: number | undefined;
}

const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 2000;

/**
 * A client of one orchestrator, by `fetch` alone: for Node 20 and later, and for browsers. Every method throws an
 * `OrchestratorError` for what is refused or not answered; a task that its droplet failed is an answer like any other.
 * It retries no task: that is the orchestrator's part.
 */
export class OrchestratorClient {
  private readonly transport: Transport;

  /** @throws TypeError for a URL or a key that cannot be used */
  constructor(options: ClientOptions = {}) {
    this.transport = new Transport(options);
  }

  /** Where requests go. */
  get url(): string {
    return this.transport.url;
  }

  /** Runs a task now, and gives its outcome. */
  submit(task: SubmitTask, options: SubmitOptions = {}): Promise<TaskResult> {
    return submitNow(this.transport, task, options);
  }

  /** Hands a task over to be run when it is due: gives its receipt once it is durable, or its outcome when asked to wait for it. */
  enqueue(task: SubmitTask, options: EnqueueOptions = {}): Promise<TaskResult> {
    return submitLater(this.transport, task, options);
  }

  /** Hands over 1 to 1000 tasks at once; each has its own answer, in their order. A batch has no key: it is sent once. */
  batch(tasks: readonly (SubmitTask | JsonText)[], limits: Limits = {}): Promise<BatchResult> {
    return this.transport.json({ method: 'POST', path: '/tasks/batch', body: { tasks }, ...limits });
  }

  /** The record of a task, with the history of its attempts. */
  async task(id: string, limits: Limits = {}): Promise<TaskRecord> {
    return this.get(`/tasks/${segment(id)}`, limits);
  }

  /** The record of a task once it is final. */
  async wait(id: string, { waitMs = Infinity, ...limits }: WaitOptions = {}): Promise<TaskRecord> {
    const end = performance.now() + waitMs;
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.5)) {
      const record = await this.task(id, limits);
      const left = end - performance.now();
      if (isFinal(record.status) || left <= 0) return record;
      await pause(Math.min(lookMs, left), limits.signal);
    }
  }

  /** One page of the records, newest first. */
  taskPage(filter: TaskPageFilter = {}, limits: Limits = {}): Promise<TaskPage> {
    return this.get(`/tasks${queryText(filter)}`, limits);
  }

  /** Every page from the newest, or from a cursor; `limit` is the size of a page. */
  async *taskPages(filter: TaskPageFilter = {}, limits: Limits = {}): AsyncGenerator<TaskPage> {
    let cursor: string | null | undefined = filter.cursor;
    do {
      const page: TaskPage = await this.taskPage({ ...filter, cursor }, limits);
      yield page;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Every record from the newest, read page by page as they are asked for. */
  async *tasks(filter: TaskPageFilter = {}, limits: Limits = {}): AsyncGenerator<ListedTask> {
    for await (const page of this.taskPages(filter, limits)) yield* page.tasks;
  }

  /** Takes a task back: a queued one is never sent, a running call is cut off. */
  async cancel(id: string, limits: Limits = {}): Promise<TaskRecord> {
    return this.transport.json({ method: 'DELETE', path: `/tasks/${segment(id)}`, ...limits });
  }

  /** Runs a task that failed again, under its id. */
  async retry(id: string, limits: Limits = {}): Promise<TaskRecord> {
    return this.post(`/tasks/${segment(id)}/retry`, undefined, limits);
  }

  /** Runs every task again that failed and fits, a thousand at most unless `limit` says more. */
  retryMany(which: RetryTasks = {}, limits: Limits = {}): Promise<Scheduled> {
    return this.post('/tasks/retry', which, limits);
  }

  /** The changes of tasks as they happen, until the signal is aborted or the loop is left; a lost stream goes on where it stood. */
  events(filter: TaskFilter = {}, options: EventOptions = {}): AsyncGenerator<TaskChange> {
    return taskEvents(this.transport, filter, options);
  }

  /** Every droplet that is known, with how its calls go. */
  droplets(limits: Limits = {}): Promise<DropletList> {
    return this.get('/droplets', limits);
  }

  /** A droplet by its name or id. */
  async droplet(key: Droplet['id'], limits: Limits = {}): Promise<DropletAnswer> {
    return this.get(`/droplets/${segment(key)}`, limits);
  }

  /** Adds a droplet to the built-in Registry, or changes the one of that name. */
  register(droplet: NewDroplet, limits: Limits = {}): Promise<Registered> {
    return this.post('/register', droplet, limits);
  }

  /** Removes a droplet from the built-in Registry. */
  async unregister(id: Droplet['id'], limits: Limits = {}): Promise<Removed> {
    return this.transport.json({ method: 'DELETE', path: `/droplets/${segment(id)}`, ...limits });
  }

  /** Holds a droplet's traffic: asynchronous tasks wait, others are refused. */
  async pause(key: Droplet['id'], limits: Limits = {}): Promise<DropletAnswer> {
    return this.post(`/droplets/${segment(key)}/pause`, undefined, limits);
  }

  /** Lets a droplet's traffic go on. */
  async resume(key: Droplet['id'], limits: Limits = {}): Promise<DropletAnswer> {
    return this.post(`/droplets/${segment(key)}/resume`, undefined, limits);
  }

  /** Opens or closes a droplet's breaker by hand; `auto` gives it back to its own count. */
  async breaker(key: Droplet['id'], state: BreakerCommand['state'], limits: Limits = {}): Promise<DropletAnswer> {
    return this.post(`/droplets/${segment(key)}/breaker`, { state }, limits);
  }

  /** How the orchestrator is; it answers as long as it lives. */
  health(limits: Limits = {}): Promise<Health> {
    return this.get('/health', limits);
  }

  /** Its figures. */
  metrics(limits: Limits = {}): Promise<Metrics> {
    return this.get('/metrics', limits);
  }

  private get<T>(path: string, limits: Limits): Promise<T> {
    return this.transport.json({ method: 'GET', path, isRepeatable: true, ...limits });
  }

  private post<T>(path: string, body: unknown, limits: Limits): Promise<T> {
    return this.transport.json({ method: 'POST', path, body, ...limits });
  }
}

/** A name as one part of a path. @throws TypeError for one that would lead to another */
function segment(key: string | number): string {
  const text = String(key);
  if (text === '' || text === '.' || text === '..') throw new TypeError(`'${text}' is no id and no name`);
  return encodeURIComponent(text);
}
