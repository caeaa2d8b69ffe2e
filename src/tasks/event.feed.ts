import type { ServerResponse } from 'node:http';
import type { TaskEvent, TaskEvents } from './task.events.js';

/** A comment now and then, so that proxies and clients see that the stream lives. */
const HEARTBEAT_MS = 15_000;

/** What one reader gets. */
export interface FeedPlan {
  /** The text of an event, or null for one that the reader does not want. */
  readonly textOf: (event: TaskEvent) => string | null;
  /** The sequence number of the last event that the reader has; null for one that begins now. */
  readonly after: number | null;
}

/**
 * One reader of the changes of tasks: writes to its response until it is over, and never after. Only what the connection
 * takes is written; the rest waits among the kept events, the same for all readers. Whoever is further behind than they
 * reach is let go: it comes back with `Last-Event-ID`, and nobody else waits for it.
 */
export class EventFeed {
  private readonly heartbeat: NodeJS.Timeout;
  private readonly unsubscribe: () => void;
  /** The last event that was looked at. */
  private last: number;
  private isFull = false;
  private isOver = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly events: TaskEvents,
    private readonly plan: FeedPlan,
  ) {
    this.last = Math.min(events.last, Math.max(plan.after ?? events.last, events.oldest - 1));
    // Whatever becomes of the connection is this reader's own affair; an error that nobody listens to would end the process.
    response.on('error', () => this.stop());
    response.on('drain', () => this.resume());
    this.unsubscribe = events.subscribe(() => this.advance());
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    this.write(': the stream of task changes\n\n');
    this.advance();
  }

  /** Ends the stream in order. */
  end(): void {
    if (this.isOver) return;
    this.stop();
    this.response.end();
  }

  /** Writes no more: the response itself ends or has ended otherwise. */
  stop(): void {
    this.isOver = true;
    this.unsubscribe();
    clearInterval(this.heartbeat);
  }

  private resume(): void {
    this.isFull = false;
    this.advance();
  }

  /** Writes what the connection takes of what is new; it says `drain` when it takes more. */
  private advance(): void {
    if (this.last + 1 < this.events.oldest) return this.letGo();
    while (!this.isFull && !this.isOver) {
      const event = this.events.after(this.last);
      if (!event) return;
      this.last = event.sequence;
      const text = this.textOf(event);
      if (text !== null) this.write(text);
    }
  }

  /** Null too for what cannot be shown: other processes may announce anything, and nobody would catch what `drain` throws. */
  private textOf(event: TaskEvent): string | null {
    try {
      return this.plan.textOf(event);
    } catch {
      return null;
    }
  }

  private beat(): void {
    if (!this.isFull) this.write(': alive\n\n');
  }

  private write(text: string): void {
    this.isFull = !this.response.write(text);
  }

  private letGo(): void {
    this.stop();
    this.response.destroy();
  }
}
