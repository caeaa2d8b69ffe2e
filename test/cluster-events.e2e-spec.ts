import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from './support/cluster.js';
import { EventReader } from './support/event.reader.js';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';
import { aMoment } from './support/task.mesh.js';

/** A task that was tried twice. Who took it and who ran it tell of it each for itself: only one's own news are in order. */
const RUN_TWICE = ['queued', 'queued', 'running', 'running', 'success'];
const SECRET = `whsec_${Buffer.from('a secret that is long enough').toString('base64')}`;

let cluster: Cluster;
const readers: EventReader[] = [];
let flaky = 0;

beforeAll(async () => {
  cluster = await Cluster.start({ settings: { CALLBACK_SECRET: SECRET, CALLBACK_ALLOW_PRIVATE: 'true' } });
});
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});
afterAll(async () => {
  await cluster.stop();
  await (await sharedPostgres()).stop();
});

/** A reader on the nth replica, of which the others know. */
const read = async (index: number, query = ''): Promise<EventReader> => {
  const { url } = cluster.replica(index);
  const [probe, reader] = await Promise.all([EventReader.open(url), EventReader.open(url, query)]);
  readers.push(probe, reader);
  await Promise.all(
    cluster.replicas.map((_, from) =>
      until(async () => {
        const { json } = await cluster.ask(from, '/echo');
        await aMoment();
        return probe.of(json.task_id).length > 0;
      }),
    ),
  );
  return reader;
};
/** A path that fails once. */
const once = (): string => `/flaky?fail=1&n=${++flaky}`;
const told = (reader: EventReader, id: string, last = 'success'): Promise<boolean> =>
  until(() => reader.of(id).includes(last), 15_000);
const allTold = async (reader: EventReader, id: string): Promise<void> => {
  await told(reader, id);
  await until(() => reader.of(id).length >= RUN_TWICE.length);
  expect(reader.of(id).sort()).toEqual(RUN_TWICE);
};
const dataOf = (reader: EventReader, id: string): any[] =>
  reader.events.filter(({ data }) => data.id === id).map(({ data }) => data);

describe('a reader of the events of one replica', () => {
  it('is told of every change of the tasks of all of them', async () => {
    const reader = await read(2);
    const ids = await Promise.all([0, 1, 2].map((index) => cluster.queue(index, once())));
    for (const id of ids) await allTold(reader, id);
    const { json } = await cluster.ask(0, '/echo');
    await told(reader, json.task_id);
    expect(reader.of(json.task_id)).toEqual(['success']);
  });

  it('gets the same of a task, whichever replica it reads from', async () => {
    const all = await Promise.all([0, 1, 2].map((index) => read(index)));
    const id = await cluster.queue(1, once(), { meta: { lone: '\ud800', nul: '\u0000', of: 'ü' }, priority: 7 });
    await Promise.all(all.map((reader) => allTold(reader, id)));
    const texts = all.map((reader) => dataOf(reader, id).map((data) => JSON.stringify(data)));
    expect(JSON.parse(texts[0]?.[0] ?? '').meta).toEqual({ lone: '\ud800', nul: '\u0000', of: 'ü' });
    expect(texts.map((each) => each.sort())).toEqual(texts.map(() => texts[0]));
  });

  it('gets only what its filters ask for', async () => {
    const [failed, mine] = [await read(2, '?status=error'), await read(2, '?meta.of=mine&droplet_name=ECHO')];
    const ids = [
      await cluster.queue(0, '/status?code=404', { meta: { of: 'theirs' } }),
      await cluster.queue(1, '/echo', { meta: { of: 'mine' } }),
    ];
    await told(failed, ids[0]!, 'error');
    await told(mine, ids[1]!);
    expect([failed.of(ids[0]!), failed.of(ids[1]!), mine.of(ids[0]!)]).toEqual([['error'], [], []]);
    expect(mine.of(ids[1]!).sort()).toEqual(['queued', 'running', 'success']);
  });

  it('is told of a task with 50 KB of meta as well, whole', async () => {
    const reader = await read(2);
    const meta = { long: 'x'.repeat(50_000), of: 'long' };
    const ids = await Promise.all([0, 1, 0, 1].map((index) => cluster.queue(index, once(), { meta })));
    for (const id of ids) {
      await allTold(reader, id);
      const record = await cluster.record(2, id);
      for (const data of dataOf(reader, id)) {
        expect(data.meta.long.length).toBe(50_000);
        if (data.status === 'success') expect({ ...record, ...data }).toEqual(record);
        else expect([data.error, data.completed_at, data.callback]).toEqual([null, null, null]);
      }
    }
  });

  it('is told of the end of one with 50 KB of meta that fails, with its error', async () => {
    const reader = await read(1);
    const id = await cluster.queue(0, '/status?code=404', { meta: { long: 'x'.repeat(50_000) } });
    await told(reader, id, 'error');
    expect(dataOf(reader, id).at(-1)).toMatchObject({ response_status: 404, error: { code: 'DROPLET_ERROR' }, attempts: 1 });
  });

  it('is told of a cancel and of a second run by another replica', async () => {
    const reader = await read(2);
    const id = await cluster.queue(0, '/echo', { delay_ms: 3_600_000 });
    await cluster.replica(1).request('DELETE', `/orchestrator/tasks/${id}`);
    await cluster.replica(0).post(`/orchestrator/tasks/${id}/retry`);
    await until(() => reader.of(id).length >= 5 && reader.of(id).includes('success'));
    expect(reader.of(id).sort()).toEqual(['cancelled', 'queued', 'queued', 'running', 'success']);
  });

  it('is told from the first task on of what a replica does that has just started', async () => {
    const reader = await read(0);
    const late = await cluster.add();
    try {
      const { json } = await late.task({ droplet_name: 'echo', path: '/echo' });
      await until(() => reader.of(json.task_id).length > 0);
    } finally {
      await cluster.remove(late);
    }
  });

  it('loses nothing of a thousand tasks, each of which is called for once', async () => {
    cluster.droplet.handler = (_seen, response) => reply(response, 200, {});
    const reader = await read(1, '?meta.run=thousand');
    const tasks = Array.from({ length: 500 }, () => ({ droplet_name: 'echo', path: '/x', meta: { run: 'thousand' } }));
    for (const index of [0, 2]) await cluster.replica(index).post('/orchestrator/tasks/batch', { tasks });
    await until(() => reader.events.filter(({ data }) => data.status === 'success').length === 1000, 30_000);
    expect(reader.events).toHaveLength(3000);
    expect(new Set(reader.events.map(({ id }) => id)).size).toBe(3000);
    const ids = new Set(reader.events.map(({ data }) => data.id));
    const calls = cluster.calls();
    expect([ids.size, cluster.droplet.hits('/x')]).toEqual([1000, 1000]);
    expect([...ids].filter((id) => calls.get(id) !== 1)).toEqual([]);
  }, 50_000);
});

describe('the channel of the replicas', () => {
  it('takes no harm from what others write to it', async () => {
    const server = await sharedPostgres();
    const reader = await read(0);
    for (const text of [
      '',
      'hello',
      '{',
      'null',
      '[]',
      '["x",1]',
      '["x",["cut",null]]',
      '["x",["task",null]]',
      '["x",["task",{}]]',
      '["x",["task",{"id":"1","status":"queued"}]]',
      '["x",["long task",7]]',
      '["x",["task",{"path":"/","targetUrl":"x"}]]',
      '["x",["due",null]]',
    ]) {
      await server.query('SELECT pg_notify($1, $2)', ['orchestrator', text], new URL(cluster.url).pathname.slice(1));
    }
    const id = await cluster.queue(1, '/echo');
    await told(reader, id);
    for (const replica of cluster.replicas) expect((await replica.get('/orchestrator/health/ready')).status).toBe(200);
  });
});
