import type { DatabaseSync } from 'node:sqlite';
import { DropletStore, type OwnDroplet } from '../../registry/droplet.store.js';
import type { GroupCommit } from './group.commit.js';

/** The built-in Registry's entries in SQLite, one JSON text each: they are few, and always read all at once. */
export class SqliteDropletStore extends DropletStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly commits: GroupCommit,
  ) {
    super();
  }

  all(): Promise<OwnDroplet[]> {
    const rows = this.database.prepare('SELECT entry FROM droplets ORDER BY id').all();
    return Promise.resolve(rows.map(({ entry }) => JSON.parse(String(entry)) as OwnDroplet));
  }

  async put(droplet: OwnDroplet): Promise<void> {
    const { id, name } = droplet;
    await this.commits.write(() =>
      this.database.prepare('REPLACE INTO droplets (id, name, entry) VALUES (?, ?, ?)').run(id, name, JSON.stringify(droplet)),
    );
  }

  async remove(id: number): Promise<void> {
    await this.commits.write(() => this.database.prepare('DELETE FROM droplets WHERE id = ?').run(id));
  }
}
