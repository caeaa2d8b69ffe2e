import type { Cluster } from '../support/cluster.js';
import { until, type HttpAnswer } from '../support/http.client.js';
import type { OrchestratorProcess } from '../support/process.js';
import { reply, type Handler } from '../support/server.js';
import { Ledger, type Findings } from './ledger.js';
import { allFinal, allTasks } from './task.books.js';

const CLIENTS = 6;
/** A client rests between two tasks: load, but not so much that two processors do nothing else. */
const REST_MS = 20;
/** A call takes up to eight times this, so that some are always under way. */
const STEP_MS = 40;
const FINAL_WITHIN_MS = 90_000;

/** An answer that was no receipt. */
export interface Refusal {
  readonly answer: HttpAnswer;
  /** When it came, monotonic ms. */
  readonly at: number;
  readonly tookMs: number;
}

export interface LoadReport extends Findings {
  readonly acknowledged: number;
  readonly calls: number;
  /** Submissions that were refused. */
  readonly refused: number;
  /** Calls that were cut off, and how long after that they were made again: median and longest, ms. */
  readonly takenOver: { readonly count: number; readonly median: number; readonly max: number };
}

/** Clients that submit tasks to all replicas of a cluster, with the books of what they were told. */
export class ClusterLoad {
  readonly ledger = new Ledger();
  readonly refusals: Refusal[] = [];
  private readonly takeovers: number[] = [];
  /** When the call of a task was cut off, by its id; monotonic ms. */
  private readonly cutOff = new Map<string, number>();
  private clients: Promise<void>[] = [];
  private submitted = 0;
  private isOver = false;

  private constructor(private readonly cluster: Cluster<OrchestratorProcess>) {}

  static start(cluster: Cluster<OrchestratorProcess>): ClusterLoad {
    const self = new ClusterLoad(cluster);
    cluster.droplet.handler = self.handler;
    self.clients = Array.from({ length: CLIENTS }, () => self.client());
    return self;
  }

  get acknowledged(): number {
    return this.ledger.acknowledged.size;
  }

  /** Waits until so many more tasks have been acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await until(() => this.acknowledged >= goal, 60_000);
  }

  /** Ends the load, and compares the books once every task is final. */
  async finish(): Promise<LoadReport> {
    this.isOver = true;
    await Promise.all(this.clients);
    for (const key of this.ledger.unanswered.splice(0)) await until(() => this.submit(key), 20_000);
    await allFinal(this.cluster.replica(0), FINAL_WITHIN_MS).catch(() => undefined);
    const findings = this.ledger.check(await allTasks(this.cluster.replica(0)));
    const sorted = this.takeovers.map(Math.round).sort((a, b) => a - b);
    return {
      ...findings,
      acknowledged: this.acknowledged,
      calls: [...this.ledger.calls.values()].reduce((sum, each) => sum + each, 0),
      refused: this.refusals.length,
      takenOver: { count: sorted.length, median: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 },
    };
  }

  /** Answers a task's call after a while; one in twenty fails at first, so that waits for a retry stand in the store too. */
  private readonly handler: Handler = ({ headers, body }, response) => {
    // A long load must not keep what it saw.
    this.cluster.droplet.seen.length = 0;
    const id = String(headers['x-task-id']);
    const calls = this.ledger.called(id);
    const { number } = JSON.parse(body) as { number: number };
    const cutAt = this.cutOff.get(id);
    if (cutAt !== undefined) this.takeovers.push(performance.now() - cutAt);
    this.cutOff.delete(id);
    response.once('close', () => {
      if (!response.writableFinished) this.cutOff.set(id, performance.now());
    });
    setTimeout(() => reply(response, number % 20 === 7 && calls === 1 ? 503 : 200, { calls }), (number % 8) * STEP_MS);
  };

  private async client(): Promise<void> {
    while (!this.isOver) {
      await this.submit(this.ledger.unanswered.pop() ?? `key-${this.submitted++}`);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** False when it was not acknowledged; then it waits to be asked again under its key. */
  private async submit(key: string): Promise<boolean> {
    const number = Number(key.slice('key-'.length));
    const task = { method: 'POST', payload: { number }, meta: { key }, ...(number % 10 === 3 ? { delay_ms: 50 } : {}) };
    const before = performance.now();
    const headers = { prefer: 'respond-async', 'idempotency-key': key };
    const answer = await this.cluster.ask(number + this.refusals.length, '/work', task, headers).catch(() => null);
    if (answer?.status === 202) {
      this.ledger.answered(key, answer.json.task_id);
      return true;
    }
    if (answer) this.refusals.push({ answer, at: performance.now(), tookMs: performance.now() - before });
    this.ledger.unanswered.push(key);
    return false;
  }
}

/** A report as one line: of what was found only how much. */
export function lineOf(report: LoadReport): string {
  const short = Object.entries(report).map(([name, value]) => [name, Array.isArray(value) ? value.length : value]);
  return `cluster load: ${JSON.stringify(Object.fromEntries(short))}\n`;
}

/** What is found of a load in which nothing went wrong. */
export const NOTHING: Findings = { lost: [], stuck: [], failed: [], uncalled: [], doubled: [] };
