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

  async put(droplet: OwnDroplet, before: OwnDroplet | null): Promise<boolean> {
    const { id, name } = droplet;
    const entry = JSON.stringify(droplet);
    const { changes } = await this.commits.write(() =>
      before === null
        ? this.database.prepare('INSERT OR IGNORE INTO droplets (id, name, entry) VALUES (?, ?, ?)').run(id, name, entry)
        : this.database
            .prepare('UPDATE OR IGNORE droplets SET name = ?, entry = ? WHERE id = ? AND entry = ?')
            .run(name, entry, id, JSON.stringify(before)),
    );
    return changes > 0;
  }

  onChange(): void {
    // No other process writes this file.
  }

  async remove(before: OwnDroplet): Promise<boolean> {
    const { changes } = await this.commits.write(() =>
      this.database.prepare('DELETE FROM droplets WHERE id = ? AND entry = ?').run(before.id, JSON.stringify(before)),
    );
    return changes > 0;
  }
}
