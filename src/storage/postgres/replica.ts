import { randomInt, randomUUID } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection, Session } from './postgres.connection.js';
import type { PostgresJobs } from './postgres.jobs.js';
import { lockKeysOf } from './postgres.keys.js';
import { UNSEEN } from './postgres.tasks.js';
import { forgetTasks, type RemovedTask } from './removed.tasks.js';

/** Totals are spread over this many rows: replicas that commit at once rarely share one. */
const SLOTS = 64;
/** A commit whose end nobody saw has either come or will not come any more. */
const DOUBTED_FOR_MS = 15_000;
/** What a replica that is gone for good leaves behind. */
const FORGOTTEN_AFTER = "interval '1 day'";

/** This process among those that share the store. */
export class Replica {
  readonly id = randomUUID();
  readonly slot = randomInt(SLOTS);
  /** Tasks whose callers were told that they were not accepted, although they may have been committed; when, monotonic ms. */
  private readonly doubted = new Map<string, number>();

  constructor(
    private readonly connection: PostgresConnection,
    readonly jobs: PostgresJobs,
    private readonly clock: Clock,
  ) {}

  /** Makes the row of our share of the totals. */
  async join(): Promise<void> {
    const text = `INSERT INTO ${SCHEMA}.task_totals (slot) VALUES ($1) ON CONFLICT DO NOTHING`;
    await this.connection.query({ text, values: [this.slot] });
    await this.beat();
  }

  /** Says that we live: a small write, which fails when the store is away. Then what is in doubt is taken back. */
  async beat(): Promise<void> {
    const text = `
      WITH gone AS (DELETE FROM ${SCHEMA}.replicas WHERE seen_at < now() - ${FORGOTTEN_AFTER})
      INSERT INTO ${SCHEMA}.replicas (id, seen_at) VALUES ($1, now())
      ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`;
    await this.connection.query({ text, values: [this.id] });
    await this.takeBack();
  }

  /** The callers of these tasks have been told that they were not accepted: if they were, that is taken back. */
  doubt(ids: readonly string[]): void {
    for (const id of ids) this.doubted.set(id, this.clock.monotonic());
  }

  /** Our callers are gone. */
  async leave(): Promise<void> {
    await this.connection.query({ text: `DELETE FROM ${SCHEMA}.replicas WHERE id = $1`, values: [this.id] });
  }

  private async takeBack(): Promise<void> {
    if (this.doubted.size === 0) return;
    const since = this.clock.monotonic() - DOUBTED_FOR_MS;
    await this.connection.transaction((session) => this.removeUnseen([...this.doubted.keys()], session));
    for (const [id, at] of this.doubted) if (at < since) this.doubted.delete(id);
  }

  /** Keys are locked first, as by who asks for one: it looks at its task next. */
  private async removeUnseen(ids: readonly string[], session: Session): Promise<void> {
    await lockKeysOf(ids, session);
    const text = `
      WITH gone AS (
        DELETE FROM ${SCHEMA}.tasks WHERE id = ANY($1::uuid[]) AND claim = ${UNSEEN} AND completed_at IS NULL
        RETURNING id, bytes, queue, job
      ), unpaired AS (
        DELETE FROM ${SCHEMA}.task_meta WHERE id IN (SELECT id FROM gone)
      ), freed AS (
        DELETE FROM ${SCHEMA}.idempotency_keys WHERE task_id IN (SELECT id FROM gone)
      )
      SELECT bytes, queue, job FROM gone`;
    const gone = await session.query<RemovedTask>({ text, values: [ids] });
    await forgetTasks(gone, this, session);
  }
}
