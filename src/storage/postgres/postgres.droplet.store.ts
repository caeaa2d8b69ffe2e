import type { Clock } from '../../common/clock.js';
import { DropletStore, type OwnDroplet } from '../../registry/droplet.store.js';
import type { ClusterBus } from './cluster.bus.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection, Statement } from './postgres.connection.js';
import { storedName } from './postgres.tasks.js';

/** Who missed a message reads the entries this much later. */
const LOOK_EVERY_MS = 10_000;

/** The built-in Registry's entries in PostgreSQL, the same for all replicas. */
export class PostgresDropletStore extends DropletStore {
  private readonly stopped = new AbortController();

  constructor(
    private readonly connection: PostgresConnection,
    private readonly bus: ClusterBus,
    private readonly clock: Clock,
  ) {
    super();
  }

  async all(): Promise<OwnDroplet[]> {
    const text = `SELECT entry FROM ${SCHEMA}.droplets ORDER BY id`;
    const rows = await this.connection.query<{ entry: string }>({ name: 'droplets', text });
    return rows.map(({ entry }) => JSON.parse(entry) as OwnDroplet);
  }

  put(droplet: OwnDroplet, before: OwnDroplet | null): Promise<boolean> {
    const entry = [droplet.id, storedName(droplet.name), JSON.stringify(droplet)];
    const statement =
      before === null
        ? {
            text: `INSERT INTO ${SCHEMA}.droplets (id, name, entry) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`,
            values: entry,
          }
        : { text: REPLACE, values: [...entry, JSON.stringify(before)] };
    return this.write(statement);
  }

  remove(before: OwnDroplet): Promise<boolean> {
    const text = `DELETE FROM ${SCHEMA}.droplets WHERE id = $1 AND entry = $2 RETURNING id`;
    return this.write({ text, values: [before.id, JSON.stringify(before)] });
  }

  onChange(listener: () => void): void {
    this.bus.on('droplets', listener);
    this.bus.onReconnect(listener);
    void this.lookNowAndThen(listener);
  }

  stop(): void {
    this.stopped.abort();
  }

  /** True when the statement found what it was to change. */
  private async write(statement: Statement): Promise<boolean> {
    const written = await this.connection.query(statement);
    if (written.length > 0) this.bus.send('droplets', null, 'changed');
    return written.length > 0;
  }

  private async lookNowAndThen(listener: () => void): Promise<void> {
    while (await this.clock.sleep(LOOK_EVERY_MS, this.stopped.signal)) listener();
  }
}

/** Only what is still as it was read, and only if no other entry has the name. */
const REPLACE = `
  UPDATE ${SCHEMA}.droplets AS d SET name = $2, entry = $3
  WHERE id = $1 AND entry = $4 AND NOT EXISTS (SELECT 1 FROM ${SCHEMA}.droplets WHERE name = $2 AND id <> d.id)
  RETURNING id`;
