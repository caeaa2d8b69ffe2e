import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import net from 'node:net';
import { EventReader } from './support/event.reader.js';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';
import { aMoment, ASYNC, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

let mesh: TaskMesh;
let readers: EventReader[];

/** A reader of this mesh's stream, which ends with the test. */
async function open(query = '', headers: Record<string, string> = {}): Promise<EventReader> {
  const reader = await EventReader.open(mesh.orchestrator.url, query, headers);
  readers.push(reader);
  return reader;
}

beforeEach(async () => {
  readers = [];
  mesh = await TaskMesh.start({ DROPLET_MAX_IN_FLIGHT: '8' });
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await mesh.stop();
});

const settled = async (path: string, more: object = {}): Promise<string> =>
  (await mesh.recordWhen(await mesh.queue(path, more))).id;

describe('GET /tasks/events', () => {
  it('is answered at once when only its head is asked for', async () => {
    const response = await fetch(`${mesh.orchestrator.url}/orchestrator/tasks/events`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(await response.text()).toBe('');
  });

  it('is a stream of server-sent events: id, event: task, and the record without the answer', async () => {
    const reader = await open('', { 'x-request-id': 'mine' });
    expect(reader.status).toBe(200);
    expect(reader.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(reader.headers.get('cache-control')).toBe('no-store');
    expect(reader.headers.get('x-request-id')).toBe('mine');
    const id = await settled('/flaky?fail=1', { meta: { a: 'b' } });
    await until(() => reader.of(id).includes('success'));
    expect(reader.of(id)).toEqual(['queued', 'running', 'queued', 'running', 'success']);
    for (const { id: number, event, data } of reader.events) {
      expect(number).toMatch(/^[\w-]+$/);
      expect(event).toBe('task');
      expect(data).toMatchObject({ id, droplet_name: 'echo', method: 'GET', path: '/flaky?fail=1', meta: { a: 'b' } });
      expect(Object.keys(data)).not.toEqual(expect.arrayContaining(['response_body']));
    }
    expect(reader.events.at(-1)?.data).toMatchObject({ status: 'success', retry_count: 1, attempts: 2, response_status: 200 });
    expect(new Set(reader.events.map(({ id: number }) => number)).size).toBe(5);
  });

  it('tells of synchronous tasks, cancels and retries too', async () => {
    const reader = await open();
    const sync = (await mesh.ask('/status?code=404')).json.task_id;
    const cancelled = await mesh.queue('/later', { delay_ms: 3_600_000 });
    await mesh.cancel(cancelled);
    await mesh.retry(sync);
    await until(() => reader.of(sync).length >= 4);
    expect(reader.of(sync)).toEqual(['error', 'queued', 'running', 'error']);
    expect(reader.of(cancelled)).toEqual(['queued', 'cancelled']);
  });

  it.each<[string, (id: string) => string]>([
    ['a status', () => '?status=error'],
    ['a droplet, in any case', () => '?droplet_name=ECHO&status=error'],
    ['a meta value', () => '?meta.wanted=yes&status=error'],
    ['a time', () => `?created_after=${Date.now() / 1000 - 60}&created_before=2099-01-01&status=error`],
  ])('is filtered by %s like the list', async (_what, query) => {
    const reader = await open(query(''));
    const gone = await open('?created_before=2001-01-01');
    await settled('/echo', { meta: { wanted: 'yes' } });
    await mesh.recordWhen(
      (await mesh.orchestrator.task({ droplet_name: 'other', path: '/echo', meta: { wanted: 'no' } }, ASYNC)).json.task_id,
    );
    const id = await settled('/status?code=404', { meta: { wanted: 'yes' } });
    await until(() => reader.events.length > 0);
    await aMoment();
    expect(reader.events.map(({ data }) => [data.id, data.status])).toEqual([[id, 'error']]);
    expect(gone.events).toEqual([]);
  });

  it('refuses a wrong filter as the list does', async () => {
    expectError(await mesh.orchestrator.get('/tasks/events?created_after=yesterday'), 400, 'INVALID_REQUEST');
  });

  it('resumes after Last-Event-ID: nothing is missed, nothing comes twice', async () => {
    const first = await open();
    const before = await settled('/echo');
    await until(() => first.of(before).includes('success'));
    first.close();
    const last = first.events.at(-1)?.id ?? '';
    const missed = [await settled('/echo'), await settled('/status?code=404')];
    const second = await open('', { 'last-event-id': last });
    await until(() => second.of(missed[1] ?? '').includes('error'));
    expect(second.of(before)).toEqual([]);
    expect(missed.map((id) => second.of(id))).toEqual([
      ['queued', 'running', 'success'],
      ['queued', 'running', 'error'],
    ]);
    const after = await settled('/echo');
    await until(() => second.of(after).includes('success'));
    const filtered = await open('?status=error', { 'last-event-id': last });
    await until(() => filtered.events.length > 0);
    expect(filtered.events.map(({ data }) => data.id)).toEqual([missed[1]]);
  });

  it.each(['nonsense', '0', '-', 'deadbeef-1', `${'9'.repeat(400)}-1`])(
    'takes an unknown Last-Event-ID (%s) for none',
    async (unknown) => {
      await settled('/echo');
      const reader = await open('', { 'last-event-id': unknown });
      await aMoment();
      expect([reader.status, reader.events]).toEqual([200, []]);
    },
  );

  it('sends a comment now and then while nothing happens', async () => {
    jest.useFakeTimers({
      doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'nextTick', 'performance', 'Date', 'queueMicrotask'],
    });
    try {
      const reader = await open();
      const begin = reader.text.length;
      jest.advanceTimersByTime(60_000);
      await until(() => reader.text.length > begin);
      const beats = reader.text.slice(begin);
      expect(beats.split('\n\n').filter((line) => line !== '').length).toBeGreaterThanOrEqual(2);
      expect(beats).toMatch(/^(: [^\n]*\n\n)+$/);
      expect(reader.events).toEqual([]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('a reader that does not read is dropped, and neither the tasks nor the other readers wait for it', async () => {
    const good = await open('?status=success');
    const { port } = new URL(mesh.orchestrator.url);
    const slow = net.connect(Number(port), '127.0.0.1');
    let isDropped = false;
    slow.on('error', () => undefined);
    slow.write('GET /orchestrator/tasks/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise<void>((resolve) => void slow.once('data', () => resolve()));
    slow.pause();
    slow.once('close', () => (isDropped = true));
    const text = 'm'.repeat(400_000);
    const ids: string[] = [];
    for (let count = 0; count < 40; count++) ids.push(await mesh.queue('/health', { meta: { text } }));
    for (const id of ids) expect((await mesh.recordWhen(id)).status).toBe('success');
    await until(() => ids.every((id) => good.of(id).includes('success')), 10_000);
    expect(good.hasEnded).toBe(false);
    slow.resume();
    await until(() => isDropped);
    slow.destroy();
  });

  it('many readers all get everything', async () => {
    const many = await Promise.all(Array.from({ length: 50 }, () => open('?status=success')));
    const ids = await Promise.all(Array.from({ length: 20 }, () => mesh.queue('/health')));
    await until(() => many.every(({ events }) => events.length === 20), 15_000);
    for (const { events } of many) expect(new Set(events.map(({ data }) => data.id))).toEqual(new Set(ids));
  });

  it('ends at the shutdown and does not hold it', async () => {
    const reader = await open();
    const gate = mesh.hold();
    const begin = performance.now();
    const leaving = mesh.orchestrator.leave();
    await until(() => reader.hasEnded);
    await leaving;
    expect(performance.now() - begin).toBeLessThan(10_000);
    gate.open();
    await mesh.revive();
    mesh.echo.handler = (_seen, response) => reply(response, 200, {});
    const next = await open('', { 'last-event-id': reader.events.at(-1)?.id ?? 'old' });
    const id = await settled('/echo');
    await until(() => next.of(id).includes('success'));
  });

  it('a task whose id is "events" is nobody: the route is the stream', async () => {
    expect((await open('?limit=5')).headers.get('content-type')).toMatch(/event-stream/);
  });
});
