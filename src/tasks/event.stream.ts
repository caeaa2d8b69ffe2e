import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Lifecycle } from '../common/lifecycle.js';
import { TaskEvents, type TaskEvent } from './task.events.js';
import { eventText } from './task.view.js';

/** A comment now and then, so that proxies and clients see that the stream lives. */
const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is let go: it comes back with `Last-Event-ID`, and nobody else waits for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Which changes a reader wants. */
export type EventFilter = (event: TaskEvent) => boolean;

/** Server-sent events of the changes of tasks; contract §2. */
@Injectable()
export class EventStream {
  /** Sequence numbers begin anew with each process: a resume must not take one of another for ours. */
  private readonly process = randomUUID().slice(0, 8);
  private readonly open = new Set<ServerResponse>();

  constructor(
    private readonly events: TaskEvents,
    private readonly lifecycle: Lifecycle,
  ) {
    lifecycle.draining.addEventListener('abort', () => this.endAll());
  }

  /** Streams to a response whose head was sent, from after `lastEventId` if that is still known. */
  start(response: ServerResponse, wanted: EventFilter, lastEventId: string | undefined): void {
    this.open.add(response);
    response.write(': the stream of task changes\n\n');
    for (const event of this.missed(lastEventId)) this.send(response, event, wanted);
    const end = this.events.subscribe((event) => this.send(response, event, wanted));
    const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
    response.once('close', () => {
      end();
      clearInterval(heartbeat);
      this.open.delete(response);
    });
    if (this.lifecycle.draining.aborted) response.end();
  }

  /** Readers would hold the shutdown. */
  private endAll(): void {
    for (const response of this.open) response.end();
  }

  private missed(lastEventId: string | undefined): TaskEvent[] {
    const [process, sequence = ''] = (lastEventId ?? '').split('-');
    return process === this.process && /^\d{1,15}$/.test(sequence) ? this.events.since(Number(sequence)) : [];
  }

  private send(response: ServerResponse, event: TaskEvent, wanted: EventFilter): void {
    if (!wanted(event)) return;
    if (response.writableLength > MAX_BUFFERED_BYTES) return void response.destroy();
    response.write(`id: ${this.process}-${event.sequence}\nevent: task\ndata: ${eventText(event.task)}\n\n`);
  }
}
