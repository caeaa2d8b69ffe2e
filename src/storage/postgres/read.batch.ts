import type { TaskRecord } from '../../tasks/task.js';
import type { Session } from './postgres.connection.js';
import { readTasks } from './postgres.tasks.js';

/** Ids as they are made: PostgreSQL itself would take one in upper case for the same. */
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

interface Waiting {
  readonly id: string;
  readonly done: (task: TaskRecord | null) => void;
  readonly failed: (error: unknown) => void;
}

/** Reads tasks by id: all that are asked for while one query runs are read by the next. */
export class ReadBatch {
  private waiting: Waiting[] = [];
  private isReading = false;

  constructor(private readonly session: Session) {}

  /** @throws StorageUnavailableError */
  get(id: string): Promise<TaskRecord | null> {
    if (!UUID.test(id)) return Promise.resolve(null);
    return new Promise((done, failed) => {
      this.waiting.push({ id, done, failed });
      if (!this.isReading) void this.readAll();
    });
  }

  private async readAll(): Promise<void> {
    this.isReading = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.read(this.waiting.splice(0));
    this.isReading = false;
  }

  private async read(batch: readonly Waiting[]): Promise<void> {
    try {
      const tasks = await readTasks([...new Set(batch.map(({ id }) => id))], this.session);
      const byId = new Map(tasks.map((task) => [task.id, task]));
      for (const { id, done } of batch) done(byId.get(id) ?? null);
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
}
