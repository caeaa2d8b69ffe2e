import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Clock } from '../src/common/clock.js';
import { Cluster } from './support/cluster.js';
import { startDroplet } from './support/droplet.js';
import { until, type HttpAnswer } from './support/http.client.js';
import type { TestServer } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';
import { expectError } from './support/udc.error.js';

const BASE = '/orchestrator/droplets';
const REPLICAS = [0, 1, 2];

describe('the built-in Registry of three replicas', () => {
  let cluster: Cluster;
  let other: TestServer;
  let name: string;
  let names = 0;

  beforeAll(async () => {
    [cluster, other] = await Promise.all([Cluster.start(), startDroplet()]);
  });
  /** A name that no other test uses. */
  const fresh = (): string => `droplet-${++names}`;
  beforeEach(() => {
    name = fresh();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await cluster.stop();
    await other.stop();
    await (await sharedPostgres()).stop();
  });

  const add = (index: number, called: string, more: object = {}): Promise<HttpAnswer> =>
    cluster.replica(index).post(BASE, { name: called, endpoint: other.url, ...more });
  const change = (index: number, key: string | number, body: object): Promise<HttpAnswer> =>
    cluster.replica(index).request('PATCH', `${BASE}/${key}`, body);
  const remove = (index: number, key: string | number): Promise<HttpAnswer> =>
    cluster.replica(index).request('DELETE', `${BASE}/${key}`);
  const beat = (index: number, key: string | number, body: object = {}): Promise<HttpAnswer> =>
    cluster.replica(index).post(`${BASE}/${key}/heartbeat`, body);
  const look = async (index: number, key: string | number): Promise<any> =>
    (await cluster.replica(index).get(`${BASE}/${key}`)).json.droplet;
  /** What all replicas must agree on: how the calls of each go is its own. */
  const listOf = async (index: number): Promise<any[]> =>
    (await cluster.replica(index).get(BASE)).json.droplets.map((droplet: object) => ({ ...droplet, health: null }));
  /** What all replicas list, once they agree and it holds what is looked for. */
  const listWhen = (isIt: (list: any[]) => boolean): Promise<any[]> =>
    until(async () => {
      const lists = await Promise.all(REPLICAS.map(listOf));
      const [first] = lists;
      return first && lists.every((list) => JSON.stringify(list) === JSON.stringify(first)) && isIt(first) ? first : null;
    });
  const call = (index: number, droplet: string) =>
    cluster.replica(index).task({ droplet_name: droplet, path: '/health', max_attempts: 1 });

  it('a droplet that registers with one is known to the others at once, by name and by id, and can be called', async () => {
    const { status, json } = await add(0, name);
    expect(status).toBe(201);
    const { droplet } = json;
    for (const key of [name, droplet.id, `name/${name}`, name.toUpperCase()]) expect(await look(1, key)).toEqual(droplet);
    expect((await call(2, name)).json).toMatchObject({ status: 'success', response_status: 200 });
    await listWhen((list) => list.some(({ id }) => id === droplet.id));
  });

  it('a task for a droplet that has just registered elsewhere is never refused, whatever else registers meanwhile', async () => {
    const refused: string[] = [];
    for (let round = 0; round < 30; round++) {
      const called = fresh();
      await Promise.all([add(round, called), add(round, fresh()), add(round + 1, fresh())]);
      // Many that ask at once share reads of the store; each must see what was there before it asked.
      const answers = await Promise.all([1, 2, 1, 2].map((by) => call(round + by, called)));
      refused.push(...answers.filter(({ status }) => status !== 200).map(({ text }) => text));
    }
    expect(refused).toEqual([]);
  });

  it('PATCH, heartbeat and DELETE work on any replica, right after it has registered with another', async () => {
    await add(0, name, { endpoint: 'http://127.0.0.1:1' });
    expect((await change(1, name, { endpoint: other.url, version: '2' })).json.droplet).toMatchObject({ version: '2' });
    expect((await beat(2, name, { status: 'error' })).json.droplet).toMatchObject({ version: '2', status: 'error' });
    await listWhen((list) => list.some((each) => each.name === name && each.endpoint === other.url && each.status === 'error'));
    expect((await call(0, name)).json.status).toBe('success');
    expect((await remove(1, name)).status).toBe(200);
    await listWhen((list) => !list.some((each) => each.name === name));
    for (const index of REPLICAS) {
      expectError(await cluster.replica(index).get(`${BASE}/${name}`), 404, 'DROPLET_NOT_FOUND');
      expectError(await call(index, name), 400, 'DROPLET_NOT_FOUND');
      expectError(await change(index, name, { version: '3' }), 404, 'DROPLET_NOT_FOUND');
    }
  });

  it('changes of one droplet on all replicas at once are all made', async () => {
    await add(0, name);
    const changes = [
      { version: '9' },
      { steward: 'Ana' },
      { cost_usd: 3 },
      { yield_usd: 4 },
      { proof: 'p' },
      { metadata: { a: 1 } },
    ];
    const answers = await Promise.all(changes.map((each, index) => change(index, name, each)));
    expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
    const whole = Object.assign({}, ...changes);
    for (const index of REPLICAS) await until(async () => (await look(index, name)).proof === 'p');
    await listWhen((list) => list.some((each) => JSON.stringify({ ...each, ...whole }) === JSON.stringify(each)));
  });

  it('a name that registers with all of them at once is registered once, the others are 409', async () => {
    const answers = await Promise.all([...REPLICAS, ...REPLICAS].map((index) => add(index, name)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    answers.filter(({ status }) => status === 409).forEach((answer) => expectError(answer, 409, 'CONFLICT'));
    const list = await listWhen((all) => all.some((each) => each.name === name));
    expect(list.filter((each) => each.name === name)).toHaveLength(1);
  });

  it('an id that two names want at once goes to one of them', async () => {
    const answers = await Promise.all(REPLICAS.map((index) => add(index, fresh(), { id: 7_000 })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const holder = answers.find(({ status }) => status === 201)?.json.droplet;
    for (const index of REPLICAS) expect(await look(index, 7_000)).toEqual(holder);
  });

  it('all list them in the same order and find the same one by a name in another case', async () => {
    await add(0, `${name}-Echo`, { id: 9_001 });
    await add(1, `${name}-eCHO`, { id: 9_000 });
    const ids = (await listWhen((list) => list.some(({ id }) => id === 9_000))).map(({ id }) => id);
    for (const index of REPLICAS) expect(await look(index, `${name}-ECHO`)).toMatchObject({ id: 9_000 });
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  it('sixty that register at once over three replicas are all there, each with an id of its own', async () => {
    const called = Array.from({ length: 60 }, fresh);
    const answers = await Promise.all(called.map((each, index) => add(index, each)));
    expect(answers.map(({ status }) => status)).toEqual(called.map(() => 201));
    const ids = answers.map(({ json }) => json.droplet.id);
    expect(new Set(ids).size).toBe(60);
    const list = await listWhen((all) => called.every((each) => all.some((droplet) => droplet.name === each)));
    expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
  });

  it('a droplet that is removed on three replicas at once is removed once', async () => {
    await add(0, name);
    await Promise.all(REPLICAS.map((index) => look(index, name)));
    const answers = await Promise.all(REPLICAS.map((index) => remove(index, name)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
  });

  it('a removal never takes away the droplet that was given the same id since', async () => {
    const { id } = (await add(0, name, { id: 8_000 })).json.droplet;
    await look(1, name);
    const successor = fresh();
    const replaced = (async () => {
      await remove(0, name);
      await add(0, successor, { id });
    })();
    await Promise.all([replaced, remove(1, name)]);
    // What another replica is told of an entry that it knew comes a few milliseconds later.
    await until(async () => (await look(2, id))?.name === successor);
  });

  it('an entry with numbers that JavaScript cannot keep can still be changed on any replica', async () => {
    const body = `{"name":"${name}","endpoint":"${other.url}","metadata":{"n":12345678901234567890,"x":1e400,"2":2,"1":1}}`;
    expect((await cluster.replica(0).post(BASE, body)).status).toBe(201);
    expect((await change(1, name, { version: '2' })).status).toBe(200);
    expect((await change(0, name, { version: '3' })).status).toBe(200);
    expect((await beat(2, name)).status).toBe(200);
  });

  it('a droplet whose heartbeats came to different replicas is inactive on all after 90 s without one', async () => {
    const clocks = cluster.replicas.map(({ app }) => app.get(Clock));
    const later = (ms: number): void => {
      const now = Date.now() + ms;
      for (const clock of clocks) jest.spyOn(clock, 'now').mockImplementation(() => now);
    };
    const statuses = (): Promise<string[]> => Promise.all(REPLICAS.map(async (index) => (await look(index, name)).status));
    const all = (status: string): Promise<boolean> => until(async () => (await statuses()).every((each) => each === status));
    await add(0, name);
    await beat(0, name);
    later(60_000);
    await beat(1, name);
    later(149_000);
    await all('active');
    later(151_000);
    expect(await statuses()).toEqual(['inactive', 'inactive', 'inactive']);
    expect((await call(1, name)).json.status).toBe('success');
    await beat(2, name);
    await all('active');
  });

  it('a replica that starts knows what registered before, and what was removed while it was away', async () => {
    await add(0, name);
    const late = await cluster.add();
    expect((await late.get(`${BASE}/${name}`)).status).toBe(200);
    await cluster.remove(late);
    await remove(0, name);
    const later = await cluster.add();
    expect((await later.get(`${BASE}/${name}`)).status).toBe(404);
    await cluster.remove(later);
  });

  it('lists the orchestrator once, however many replicas it has', async () => {
    const list = await listWhen((all) => all.length > 0);
    expect(list.filter((each) => each.name === 'orchestrator')).toEqual([expect.objectContaining({ id: 2 })]);
  });
});
