import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventReader } from './support/event.reader.js';
import { until } from './support/http.client.js';
import { RawConnection } from './support/raw.client.js';
import { TaskMesh } from './support/task.mesh.js';

let mesh: TaskMesh;
let readers: EventReader[];

beforeEach(async () => {
  readers = [];
  mesh = await TaskMesh.start({ DROPLET_MAX_IN_FLIGHT: '8' });
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await mesh.stop();
});

async function open(query = '', headers: Record<string, string> = {}): Promise<EventReader> {
  const reader = await EventReader.open(mesh.orchestrator.url, query, headers);
  readers.push(reader);
  return reader;
}

/** Makes so many tasks at once that nobody runs yet, each with so many characters of meta; gives their ids in order. */
async function batch(count: number, characters: number): Promise<string[]> {
  const task = { droplet_name: 'echo', path: '/health', delay_ms: 3_600_000, meta: { text: 'm'.repeat(characters) } };
  const { json } = await mesh.orchestrator.post('/tasks/batch', { tasks: Array.from({ length: count }, () => task) });
  return json.results.map(({ task_id }: { task_id: string }) => task_id);
}

const idsOf = ({ events }: EventReader): string[] => events.map(({ data }) => data.id);
/** Cheaper to look at again and again than the events. */
const has = ({ text }: EventReader, id: string | undefined): boolean => text.includes(`"id":"${id}"`);

describe('a reader of the events that reads', () => {
  it('gets all of a batch of 1,000 tasks, in order, on one connection', async () => {
    const reader = await open();
    const ids = await batch(1000, 4000);
    await until(() => has(reader, ids.at(-1)) || reader.hasEnded);
    expect([reader.hasEnded, idsOf(reader)]).toEqual([false, ids]);
  });

  it('gets all that it missed, however much that is, and then what is new: each once, in order', async () => {
    const first = await open();
    const [seen] = await batch(1, 1);
    await until(() => has(first, seen));
    first.close();
    const missed = await batch(1000, 10_000);
    const second = await open('', { 'last-event-id': first.events.at(-1)?.id ?? '' });
    const fresh = [...(await batch(500, 1000)), ...(await batch(500, 1000))];
    await until(() => has(second, fresh.at(-1)) || second.hasEnded, 15_000);
    expect([second.hasEnded, idsOf(second)]).toEqual([false, [...missed, ...fresh]]);
  });

  it('gets what came while it did not read, when it reads again', async () => {
    const connection = await RawConnection.open(mesh.orchestrator.url);
    connection.request('GET', '/tasks/events');
    await until(() => connection.text.includes('the stream'));
    connection.pause();
    const ids = [...(await batch(1000, 6000)), ...(await batch(1000, 6000))];
    connection.resume();
    await until(() => connection.text.includes(ids.at(-1) ?? ''), 15_000);
    const told = [...connection.text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id);
    connection.destroy();
    expect(told).toEqual(ids);
  });
});

describe('a reader of the events that does not read', () => {
  it('is let go when what it has not got is kept no more', async () => {
    const connection = await RawConnection.open(mesh.orchestrator.url);
    connection.request('GET', '/tasks/events');
    await until(() => connection.text.includes('the stream'));
    connection.pause();
    for (let count = 0; count < 6; count++) await batch(100, 150_000);
    const [last] = await batch(1, 1);
    connection.resume();
    await connection.closed();
    expect(connection.text.includes(`"id":"${last}"`)).toBe(false);
  }, 60_000);

  it('does not cost a running call its answer when the process leaves', async () => {
    const connection = await RawConnection.open(mesh.orchestrator.url);
    connection.request('GET', '/tasks/events');
    await until(() => connection.text.includes('the stream'));
    connection.pause();
    await batch(1000, 10_000);
    const gate = mesh.hold();
    const running = [mesh.ask('/one'), mesh.ask('/two')];
    await until(() => gate.held.length === 2);
    const leaving = mesh.orchestrator.leave();
    await until(() => !mesh.orchestrator.app.getHttpServer().listening);
    gate.open();
    expect((await Promise.all(running)).map(({ json }) => [json.status, json.recorded])).toEqual([
      ['success', true],
      ['success', true],
    ]);
    connection.destroy();
    await leaving;
    await mesh.revive();
  });
});
