import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { TaskStore } from './task.store.js';

/** A look at what may go, when nothing had to. */
const LOOK_EVERY_MS = 10_000;
/** The pause between two steps, in which other writes go first. */
const PAUSE_MS = 5;

/** Removes the oldest finished tasks by age, number and size, in steps so small that no other write waits long. */
@Injectable()
export class TaskRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopped = new AbortController();

  constructor(
    private readonly store: TaskStore,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    void this.work();
  }

  onModuleDestroy(): void {
    this.stopped.abort();
  }

  private async work(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      const removed = await this.step();
      await this.clock.sleep(removed > 0 ? PAUSE_MS : LOOK_EVERY_MS, signal);
    }
  }

  private async step(): Promise<number> {
    if (!this.store.isWritable) return 0;
    const { TASK_MAX_HISTORY: maxTasks, TASK_RETENTION_HOURS: keepMs, STORAGE_LIMIT: maxBytes } = this.settings;
    try {
      return await this.store.purge({ maxTasks, maxBytes, completedSince: this.clock.now() - keepMs });
    } catch (err) {
      this.log.warn({ err }, 'old tasks not removed');
      return 0;
    }
  }
}
