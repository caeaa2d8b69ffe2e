import { Injectable } from '@nestjs/common';
import { OverloadedError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { TaskQueue } from './task.queue.js';

/** Holds the queue to QUEUE_LIMIT tasks, those included that are being written. */
@Injectable()
export class QueueRoom {
  private coming = 0;

  constructor(
    private readonly queue: TaskQueue,
    private readonly settings: Settings,
  ) {}

  /** False when so many more tasks would be more than the limit. */
  hasFor(more: number): boolean {
    return this.queue.size + this.coming + more <= this.settings.QUEUE_LIMIT;
  }

  /** @throws OverloadedError when so many more tasks would be more than the limit */
  refuseIfFull(more: number): void {
    if (this.hasFor(more)) return;
    throw new OverloadedError(`The queue holds its limit of ${this.settings.QUEUE_LIMIT} tasks`);
  }

  /** Writes so many more tasks, which take up room from now on: all who ask before the commit would else find the same. */
  async fill<T>(more: number, write: () => Promise<T>): Promise<T> {
    this.coming += more;
    try {
      return await write();
    } finally {
      this.coming -= more;
    }
  }
}
