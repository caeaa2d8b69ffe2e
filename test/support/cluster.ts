import { startDroplet } from './droplet.js';
import { until, type HttpAnswer, type HttpClient } from './http.client.js';
import { TestOrchestrator } from './orchestrator.js';
import { OrchestratorProcess } from './process.js';
import type { TestServer } from './server.js';
import { sharedPostgres } from './shared.postgres.js';

/** Short waits, also for replicas that are processes of their own. */
export const BRISK = {
  LOG_LEVEL: 'warn',
  RETRY_JITTER: 'none',
  RETRY_BACKOFF_BASE_MS: '20',
  RETRY_BACKOFF_MAX_MS: '40',
  ASYNC_BACKOFF_BASE_MS: '20',
  ASYNC_BACKOFF_MAX_MS: '40',
  SHUTDOWN_GRACE: '2',
};
const ASYNC = { prefer: 'respond-async' };
const FINAL = ['success', 'error', 'timeout', 'cancelled'];

/** How replicas of one kind come and go. */
interface ReplicaKind<R extends HttpClient> {
  start(environment: Record<string, string>): Promise<R>;
  end(replica: R): Promise<void>;
}

/** Replicas in the process of the test. */
const IN_PROCESS: ReplicaKind<TestOrchestrator> = {
  start: (environment) => TestOrchestrator.start({ ...environment, LOG_LEVEL: 'silent' }),
  end: (replica) => replica.stop(),
};

/** Replicas that can be killed: the built server, each a process of its own. */
export const AS_PROCESSES: ReplicaKind<OrchestratorProcess> = {
  start: (environment) => OrchestratorProcess.start(environment),
  end: (replica) => replica.remove(),
};

interface ClusterOptions {
  /** Three unless given. */
  readonly replicas?: number;
  /** Of every replica. */
  readonly settings?: Record<string, string>;
  /** A database; one of its own on the file's server unless given. */
  readonly url?: string;
}

/** Replicas on one PostgreSQL database, and one droplet that their own Registry lists as `echo`. */
export class Cluster<R extends HttpClient = TestOrchestrator> {
  /** Those that run; one that was ended by the test itself may stay in it. */
  readonly replicas: R[] = [];

  private constructor(
    /** What `echo` is: `handler` can be replaced, `seen` has every call. */
    readonly droplet: TestServer,
    readonly url: string,
    private readonly kind: ReplicaKind<R>,
    private readonly settings: Record<string, string>,
  ) {}

  /** Replicas in this process. */
  static start(options: ClusterOptions = {}): Promise<Cluster> {
    return Cluster.of(IN_PROCESS, options);
  }

  /** Replicas of another kind. */
  static async of<R extends HttpClient>(kind: ReplicaKind<R>, options: ClusterOptions = {}): Promise<Cluster<R>> {
    const url = options.url ?? (await (await sharedPostgres()).createDatabase());
    const self = new Cluster(await startDroplet(), url, kind, { ...BRISK, ...options.settings });
    try {
      await Promise.all(Array.from({ length: options.replicas ?? 3 }, () => self.add()));
      await self.replica(0).post('/register', { name: 'echo', url: self.droplet.url });
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  /** Starts one more, with settings of its own. */
  async add(settings: Record<string, string> = {}): Promise<R> {
    const replica = await this.kind.start({ ...this.settings, ...settings, DATABASE_URL: this.url });
    this.replicas.push(replica);
    return replica;
  }

  /** Ends one in its kind's way and takes it out. */
  async remove(replica: R): Promise<void> {
    this.replicas.splice(this.replicas.indexOf(replica), 1);
    await this.kind.end(replica);
  }

  /** Ends them all, and the droplet; the database server is the test file's. */
  async stop(): Promise<void> {
    await Promise.all(this.replicas.splice(0).map((replica) => this.kind.end(replica)));
    await this.droplet.stop();
  }

  /** The nth; beyond the last it begins again with the first. */
  replica(index: number): R {
    return this.replicas[index % this.replicas.length]!;
  }

  /** Submits a task for `echo` to the nth replica, to be run synchronously unless a field or header says otherwise. */
  ask(index: number, path: string, more: object = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.replica(index).task({ droplet_name: 'echo', path, ...more }, headers);
  }

  /** Submits an asynchronous task for `echo` to the nth replica and resolves to its id. */
  async queue(index: number, path: string, more: object = {}, headers: Record<string, string> = {}): Promise<string> {
    const { status, text, json } = await this.ask(index, path, more, { ...ASYNC, ...headers });
    if (status !== 202) throw new Error(`not accepted: ${status} ${text}`);
    return json.task_id;
  }

  /** A task's record as the nth replica shows it. */
  async record(index: number, id: string): Promise<any> {
    return (await this.replica(index).get(`/orchestrator/tasks/${id}`)).json;
  }

  /** The record once its status is one of these, any final one unless given. */
  recordWhen(index: number, id: string, statuses: readonly string[] = FINAL, ms = 20_000): Promise<any> {
    return until(async () => {
      const record = await this.record(index, id);
      return statuses.includes(record.status) ? record : null;
    }, ms);
  }

  /** How many tasks the nth replica counts under a status. */
  async count(index: number, status: string): Promise<number> {
    return (await this.replica(index).get(`/orchestrator/tasks?status=${status}&limit=1`)).json.total;
  }

  /** How often the droplet was called for each task, by its id. */
  calls(): Map<string, number> {
    const calls = new Map<string, number>();
    for (const { headers } of this.droplet.seen) {
      const id = headers['x-task-id'];
      if (typeof id === 'string') calls.set(id, (calls.get(id) ?? 0) + 1);
    }
    return calls;
  }
}
