import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../common/clock.js';
import type { Retention } from '../../tasks/task.store.js';
import type { SqliteJobs } from './sqlite.jobs.js';
import type { SqliteKeys } from './sqlite.keys.js';
import type { SqliteTasks } from './sqlite.tasks.js';

/** Tasks, and keys, that one step removes at the most: a write of a few milliseconds, in which no other waits long. */
const STEP = 200;

/** What is removed from. */
interface RetentionParts {
  readonly tasks: SqliteTasks;
  readonly jobs: SqliteJobs;
  readonly keys: SqliteKeys;
  readonly clock: Clock;
}

/** How many of each a step has removed. */
interface Removed {
  readonly tasks: number;
  readonly jobs: number;
  readonly keys: number;
}

/** Removes what is kept no longer. Every step stands inside a group commit of somebody else. */
export class SqliteRetention {
  constructor(
    private readonly database: DatabaseSync,
    private readonly parts: RetentionParts,
  ) {}

  /** Tasks are looked for in the write itself: what is run again in the same commit is not final any more. */
  step(retention: Retention): Removed {
    const { tasks, jobs, keys, clock } = this.parts;
    const ids = this.oldest(retention);
    tasks.remove(ids);
    const removed = ids.filter((id) => jobs.remove(id));
    return { tasks: ids.length, jobs: removed.length, keys: keys.removeExpired(clock.now(), STEP) };
  }

  private oldest({ maxTasks, completedSince, maxBytes }: Retention): string[] {
    const { tasks } = this.parts;
    const tooMany = Math.max(0, tasks.stored - maxTasks);
    const surplus = this.usedBytes() > maxBytes ? STEP : Math.min(STEP, tooMany);
    return tasks.oldestFinal({ surplus, completedSince, limit: STEP });
  }

  /** Bytes in use: pages that a purge has freed are used again before the file grows. */
  private usedBytes(): number {
    const pragma = (name: string): number => Number(this.database.prepare(`PRAGMA ${name}`).get()?.[name]);
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }
}
