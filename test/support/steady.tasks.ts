import { until, type HttpClient } from './http.client.js';

/** A task is queued, runs, and comes to its end. */
const EVENTS_A_TASK = 3;
const EVENTS_A_MINUTE = 10_000;
const BATCH = 10;
const BATCH_MS = (60_000 * BATCH * EVENTS_A_TASK) / EVENTS_A_MINUTE;
const FAILED = 100;

/** Real tasks at a steady rate that makes 10,000 events a minute, none of them late for what the one before took. */
export class SteadyTasks {
  /** How many were accepted. */
  sent = 0;
  readonly total: number;

  constructor(
    private readonly orchestrator: HttpClient,
    minutes: number,
  ) {
    this.total = Math.ceil((minutes * EVENTS_A_MINUTE) / EVENTS_A_TASK / BATCH) * BATCH;
  }

  get events(): number {
    return this.total * EVENTS_A_TASK;
  }

  /** How many of them fail. */
  get failing(): number {
    return Array.from({ length: this.total }, (_, index) => index).filter((index) => this.fails(index)).length;
  }

  /** The path of a task says when in the row it was sent. */
  pathOf(index: number): string {
    return this.fails(index) ? `/status?code=404&n=${index}` : `/echo?n=${index}`;
  }

  /** A machine that falls behind sends what it owes at once. Resolves to how long it took, milliseconds. */
  async send(): Promise<number> {
    const beganAt = performance.now();
    for (let batch = 0; batch < this.total / BATCH; batch++) {
      const dueAt = beganAt + batch * BATCH_MS;
      await until(() => performance.now() >= dueAt);
      const tasks = Array.from({ length: BATCH }, (_, place) => ({ droplet_name: 'echo', path: this.pathOf(this.sent + place) }));
      const { json } = await this.orchestrator.post('/tasks/batch', { tasks });
      if (json.accepted !== BATCH) throw new Error(`not accepted: ${JSON.stringify(json)}`);
      this.sent += BATCH;
    }
    return performance.now() - beganAt;
  }

  private fails(index: number): boolean {
    return index % Math.floor(this.total / FAILED) === 0;
  }
}
