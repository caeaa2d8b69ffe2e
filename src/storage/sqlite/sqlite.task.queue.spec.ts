import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { taskQueueContract } from '../../../test/contracts/task.queue.contract.js';
import { openSqlite } from '../../../test/support/sqlite.js';

taskQueueContract('SQLite in memory', (clock, limits) => {
  const { queue, tasks: store, close } = openSqlite(':memory:', clock, limits);
  return { queue, store, close };
});

taskQueueContract('SQLite in a file', (clock, limits) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'queue-'));
  const { queue, tasks: store, close } = openSqlite(path.join(folder, 'tasks.db'), clock, limits);
  const closeAndRemove = (): void => {
    close();
    rmSync(folder, { recursive: true });
  };
  return { queue, store, close: closeAndRemove };
});
