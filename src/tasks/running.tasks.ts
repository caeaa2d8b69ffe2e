import { Injectable } from '@nestjs/common';

/** The tasks that run in this process and can be cancelled. */
@Injectable()
export class RunningTasks {
  private readonly waitedFor = new Map<string, AbortController>();
  private readonly cancelled = new Set<string>();

  /** Runs the call of a task whose caller waits for it; the signal aborts when the task is cancelled. */
  async during<T>(id: string, work: (cancel: AbortSignal) => Promise<T>): Promise<T> {
    const cancel = new AbortController();
    this.waitedFor.set(id, cancel);
    try {
      return await work(cancel.signal);
    } finally {
      this.waitedFor.delete(id);
      this.cancelled.delete(id);
    }
  }

  /** Marks a task as cancelled, and cuts off its call if its caller waits for it here; true if so. */
  cancel(id: string): boolean {
    this.cancelled.add(id);
    const running = this.waitedFor.get(id);
    running?.abort();
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
