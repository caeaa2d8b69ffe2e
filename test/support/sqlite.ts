import type { Clock } from '../../src/common/clock.js';
import { createLog } from '../../src/common/log.js';
import { openDatabase } from '../../src/storage/sqlite/database.js';
import { GroupCommit } from '../../src/storage/sqlite/group.commit.js';
import { SqliteDropletStore } from '../../src/storage/sqlite/sqlite.droplet.store.js';
import { SqliteTaskStore } from '../../src/storage/sqlite/sqlite.task.store.js';
import { ManualClock } from './manual.clock.js';

/** A real SQLite database and what stores things in it, outside of any application. */
export function openSqlite(file = ':memory:', clock: Clock = new ManualClock()) {
  const { database, close } = openDatabase(file);
  const commits = new GroupCommit(database, clock, createLog('silent'));
  return {
    database,
    tasks: new SqliteTaskStore(database, commits),
    droplets: new SqliteDropletStore(database, commits),
    close: (): void => {
      commits.close();
      close();
    },
  };
}
