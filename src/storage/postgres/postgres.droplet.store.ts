import { DropletStore, type OwnDroplet } from '../../registry/droplet.store.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection, Statement } from './postgres.connection.js';
import { storedName } from './postgres.tasks.js';
import type { SharedChanges } from './shared.changes.js';

/** The built-in Registry's entries in PostgreSQL, the same for all replicas. */
export class PostgresDropletStore extends DropletStore {
  constructor(
    private readonly connection: PostgresConnection,
    private readonly changes: SharedChanges,
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
    this.changes.onChange(listener);
  }

  stop(): void {
    this.changes.stop();
  }

  /** True when the statement found what it was to change. */
  private async write(statement: Statement): Promise<boolean> {
    const written = await this.connection.query(statement);
    if (written.length > 0) this.changes.tell();
    return written.length > 0;
  }
}

/** Only what is still as it was read, and only if no other entry has the name. */
const REPLACE = `
  UPDATE ${SCHEMA}.droplets AS d SET name = $2, entry = $3
  WHERE id = $1 AND entry = $4 AND NOT EXISTS (SELECT 1 FROM ${SCHEMA}.droplets WHERE name = $2 AND id <> d.id)
  RETURNING id`;
