import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../src/common/clock.js';
import { createLog } from '../../src/common/log.js';
import { openDatabase } from '../../src/storage/sqlite/database.js';
import { GroupCommit } from '../../src/storage/sqlite/group.commit.js';
import { SqliteDropletStore } from '../../src/storage/sqlite/sqlite.droplet.store.js';
import { SqliteJobs } from '../../src/storage/sqlite/sqlite.jobs.js';
import { SqliteOrderStore } from '../../src/storage/sqlite/sqlite.order.store.js';
import { SqliteTaskQueue } from '../../src/storage/sqlite/sqlite.task.queue.js';
import { SqliteTaskStore } from '../../src/storage/sqlite/sqlite.task.store.js';
import { ManualClock } from './manual.clock.js';

/** Jobs that run side by side. */
const IN_ALL = 1024;

/** What an open database is written through. */
interface Opened {
  readonly database: DatabaseSync;
  readonly commits: GroupCommit;
}

/** The stores over an open database, as a process that begins makes them. */
export function storesOf({ database, commits }: Opened, clock: Clock, maxInAll = IN_ALL) {
  const queue = new SqliteTaskQueue({ jobs: new SqliteJobs(database), commits, clock, log: createLog('silent') }, maxInAll);
  return {
    queue,
    tasks: new SqliteTaskStore(database, commits, queue, clock),
    droplets: new SqliteDropletStore(database, commits),
    orders: new SqliteOrderStore(database, commits),
  };
}

/** A real SQLite database and what stores things in it, outside of any application. */
export function openSqlite(file = ':memory:', clock: Clock = new ManualClock(), maxInAll = IN_ALL) {
  const { database, close } = openDatabase(file);
  const commits = new GroupCommit(database, clock, createLog('silent'));
  const stores = storesOf({ database, commits }, clock, maxInAll);
  return {
    ...{ database, commits },
    ...stores,
    close: (): void => {
      stores.queue.stop();
      commits.close();
      close();
    },
  };
}
