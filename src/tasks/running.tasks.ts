import { Injectable } from '@nestjs/common';
import { Lifecycle } from '../common/lifecycle.js';

/** The tasks that run in this process and can be cancelled. */
@Injectable()
export class RunningTasks {
  private readonly waitedFor = new Map<string, AbortController>();
  private readonly cancelled = new Set<string>();

  constructor(private readonly lifecycle: Lifecycle) {
    // One listener for all: an AbortSignal.any() for each task costs more than its validation.
    lifecycle.aborting.addEventListener('abort', () => {
      for (const running of this.waitedFor.values()) running.abort('shutdown');
    });
  }

  /** Runs the call of a task whose caller waits for it; the signal aborts when the task is cancelled, or the shutdown cuts off. */
  during<T>(id: string, work: (abort: AbortSignal) => Promise<T>): Promise<T> {
    const running = new AbortController();
    if (this.lifecycle.aborting.aborted) running.abort('shutdown');
    const result = work(running.signal);
    this.waitedFor.set(id, running);
    const end = (): void => {
      this.waitedFor.delete(id);
      this.cancelled.delete(id);
    };
    result.then(end, end);
    return result;
  }

  /** Marks a task as cancelled, and cuts off its call if its caller waits for it here; true if so. */
  cancel(id: string): boolean {
    this.cancelled.add(id);
    const running = this.waitedFor.get(id);
    running?.abort('cancelled');
    return running !== undefined;
  }

  isCancelled(id: string): boolean {
    return this.cancelled.has(id);
  }

  /** The task has ended, or the cancel came too late. */
  forget(id: string): void {
    this.cancelled.delete(id);
  }
}
