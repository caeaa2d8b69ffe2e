import type { ServerResponse } from 'node:http';
import type { TaskEvent, TaskEvents } from './task.events.js';

/** A comment now and then, so that proxies and clients see that the stream lives. */
const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is let go: it comes back with `Last-Event-ID`, and nobody else waits for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** What one reader gets. */
export interface FeedPlan {
  /** The text of an event, or null for one that the reader does not want. */
  readonly textOf: (event: TaskEvent) => string | null;
  /** The sequence number of the last event that the reader has; null for one that begins now. */
  readonly after: number | null;
}

/** One reader of the changes of tasks: writes to its response until it is over, and never after. */
export class EventFeed {
  private readonly heartbeat: NodeJS.Timeout;
  private readonly unsubscribe: () => void;
  private isOver = false;

  constructor(
    private readonly response: ServerResponse,
    events: TaskEvents,
    private readonly plan: FeedPlan,
  ) {
    // Whatever becomes of the connection is this reader's own affair; an error that nobody listens to would end the process.
    response.on('error', () => this.stop());
    this.unsubscribe = events.subscribe((event) => this.send(event));
    this.heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
    response.write(': the stream of task changes\n\n');
    if (plan.after !== null) for (const event of events.since(plan.after)) this.send(event);
  }

  /** Ends the stream in order. */
  end(): void {
    this.stop();
    this.response.end();
  }

  /** Writes no more: the response itself ends or has ended otherwise. */
  stop(): void {
    this.isOver = true;
    this.unsubscribe();
    clearInterval(this.heartbeat);
  }

  private send(event: TaskEvent): void {
    const text = this.isOver ? null : this.plan.textOf(event);
    if (text === null) return;
    if (this.response.writableLength <= MAX_BUFFERED_BYTES) return void this.response.write(text);
    this.stop();
    this.response.destroy();
  }
}
