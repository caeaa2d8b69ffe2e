import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../test/support/http.client.js';
import { queuedTask } from '../../test/support/task.factory.js';
import { EventFeed } from './event.feed.js';
import { NoReplicas } from './replicas.js';
import { TaskEvents } from './task.events.js';

describe('a reader of the events', () => {
  let server: Server;
  let events: TaskEvents;
  let feed: EventFeed | null;
  let text: string;

  beforeEach(async () => {
    [events, feed, text] = [new TaskEvents(new NoReplicas()), null, ''];
    server = createServer((_request, response) => {
      feed = new EventFeed(response, events, {
        after: null,
        textOf: ({ sequence, task }) => `${sequence} ${new Date(task.createdAt).toISOString()} ${'x'.repeat(50_000)}\n\n`,
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { body } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    void body?.pipeTo(new WritableStream({ write: (chunk) => void (text += Buffer.from(chunk as Uint8Array).toString()) }));
    await until(() => feed);
  });
  afterEach(() => {
    feed?.end();
    server.close();
  });

  const told = (): number[] => [...text.matchAll(/^(\d+) /gm)].map(([, sequence]) => Number(sequence));

  it('is told of all but an event that cannot be shown, also when it is behind', async () => {
    for (let sequence = 1; sequence <= 40; sequence++) events.publish(queuedTask(sequence % 2 ? {} : { createdAt: NaN }));
    events.publish(queuedTask());
    await until(() => told().includes(41));
    expect(told()).toEqual(Array.from({ length: 21 }, (_, index) => 2 * index + 1));
  });

  it('is told of nothing more once it was ended, and may be ended twice', async () => {
    events.publish(queuedTask());
    feed?.end();
    feed?.end();
    events.publish(queuedTask());
    await until(() => told().includes(1));
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    expect(told()).toEqual([1]);
  });
});
