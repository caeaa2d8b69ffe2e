import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { LastingAccess } from '../auth/lasting.access.js';
import { Lifecycle } from '../common/lifecycle.js';
import { whenOver } from '../inbound/when-over.js';
import { EventFeed } from './event.feed.js';
import { TaskEvents, type TaskEvent } from './task.events.js';
import { eventText } from './task.view.js';

/** Which changes a reader wants. */
export type EventFilter = (event: TaskEvent) => boolean;

/** Server-sent events of the changes of tasks; contract §2. */
@Injectable()
export class EventStream {
  /** Sequence numbers begin anew with each process: a resume must not take one of another for ours. */
  private readonly process = randomUUID().slice(0, 8);
  private readonly open = new Set<EventFeed>();

  constructor(
    private readonly events: TaskEvents,
    private readonly access: LastingAccess,
    private readonly lifecycle: Lifecycle,
  ) {
    lifecycle.draining.addEventListener('abort', () => this.endAll());
  }

  /** Streams that are open. */
  get readers(): number {
    return this.open.size;
  }

  /** Streams as the answer to a request, whose head was sent, from after its `Last-Event-ID` if that is still known. */
  start(request: FastifyRequest, reply: FastifyReply, wanted: EventFilter): void {
    const feed = new EventFeed(reply.raw, this.events, {
      textOf: (event) => (wanted(event) ? this.textOf(event) : null),
      after: this.sequenceOf(request.headers['last-event-id']?.toString()),
    });
    const over = new AbortController();
    this.open.add(feed);
    whenOver(request, reply, () => {
      feed.stop();
      over.abort();
      this.open.delete(feed);
    });
    void this.access.watch(request, over.signal, () => feed.end());
    if (this.lifecycle.draining.aborted) feed.end();
  }

  /** Readers would hold the shutdown. */
  private endAll(): void {
    for (const feed of this.open) feed.end();
  }

  private sequenceOf(lastEventId = ''): number | null {
    const [process, sequence = ''] = lastEventId.split('-');
    return process === this.process && /^\d{1,15}$/.test(sequence) ? Number(sequence) : null;
  }

  private textOf({ sequence, task }: TaskEvent): string {
    return `id: ${this.process}-${sequence}\nevent: task\ndata: ${eventText(task)}\n\n`;
  }
}
