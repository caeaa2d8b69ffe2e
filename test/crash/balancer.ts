import type { Cluster } from '../support/cluster.js';
import { until } from '../support/http.client.js';
import type { OrchestratorProcess } from '../support/process.js';

const CLIENTS = 6;
const LOOK_EVERY_MS = 50;
/** A replica that has not said so for this long may not be ready any more. */
const BELIEVED_MS = 500;

/**
 * Clients behind a load balancer: requests go to the replicas in turn, those that are not ready are left out, and nothing is
 * tried again.
 */
export class Balancer {
  /** The tasks that were accepted or answered, by their ids. */
  readonly accepted: string[] = [];
  /** Each request that failed, whatever the reason. */
  readonly failures: string[] = [];
  /** When each replica last said that it is ready, monotonic ms. */
  private readonly readyAt = new Map<OrchestratorProcess, number>();
  private running: Promise<unknown>;
  private turn = 0;
  private isOver = false;

  private constructor(private readonly cluster: Cluster<OrchestratorProcess>) {
    this.running = Promise.all([this.look(), ...Array.from({ length: CLIENTS }, () => this.client())]);
  }

  static before(cluster: Cluster<OrchestratorProcess>): Balancer {
    return new Balancer(cluster);
  }

  sendsTo(replica: OrchestratorProcess): boolean {
    return performance.now() - (this.readyAt.get(replica) ?? -Infinity) < BELIEVED_MS;
  }

  /** Waits until so many more requests have been answered well. */
  async more(count: number): Promise<void> {
    const goal = this.accepted.length + count;
    await until(() => this.accepted.length >= goal, 60_000);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async look(): Promise<void> {
    while (!this.isOver) {
      await Promise.all(this.cluster.replicas.map((replica) => this.lookAt(replica)));
      await rest();
    }
  }

  private async lookAt(replica: OrchestratorProcess): Promise<void> {
    const askedAt = performance.now();
    const answer = await replica.get('/orchestrator/health/ready').catch(() => null);
    if (answer?.status === 200) this.readyAt.set(replica, askedAt);
    else this.readyAt.delete(replica);
  }

  private async client(): Promise<void> {
    while (!this.isOver) {
      const ready = this.cluster.replicas.filter((replica) => this.sendsTo(replica));
      const replica = ready[this.turn++ % ready.length];
      if (replica) await this.send(replica);
      else await rest();
    }
  }

  /** Every second one is synchronous. */
  private async send(replica: OrchestratorProcess): Promise<void> {
    const isSynchronous = this.turn % 2 === 0;
    const headers: Record<string, string> = isSynchronous ? {} : { prefer: 'respond-async' };
    try {
      const { status, json, text } = await replica.task({ droplet_name: 'echo', path: '/health' }, headers);
      const isGood = isSynchronous ? status === 200 && json.status === 'success' : status === 202;
      if (isGood) this.accepted.push(json.task_id);
      else this.failures.push(`${status} ${text}`);
    } catch (error) {
      this.failures.push(`${String(error)} ${String((error as Error).cause)}`);
    }
  }
}

const rest = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
