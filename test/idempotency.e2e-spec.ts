import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { until, type HttpAnswer } from './support/http.client.js';
import { RawConnection } from './support/raw.client.js';
import { reply, type Handler } from './support/server.js';
import { ASYNC, type Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

let made = 0;

describe('Idempotency-Key', () => {
  let mesh: TaskMesh;
  let paths: Handler;
  let key: string;

  beforeAll(async () => {
    mesh = await TaskMesh.start();
    paths = mesh.echo.handler;
  });
  beforeEach(() => {
    key = `key-${++made}`;
    mesh.echo.seen.length = 0;
    mesh.echo.handler = paths;
  });
  afterAll(() => mesh.stop());

  const hold = (): Gate => mesh.hold();
  const keyed = (more: Record<string, string> = {}): Record<string, string> => ({ 'idempotency-key': key, ...more });
  const ask = (at: string, more: object = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    mesh.ask(at, more, keyed(headers));
  const isReplayed = ({ headers }: HttpAnswer): boolean => headers.get('idempotency-replayed') === 'true';

  describe('on a synchronous task', () => {
    it('gives a repeat the stored outcome, and the droplet is called once', async () => {
      const more = { method: 'POST', payload: { amount: 5 }, meta: { a: 'b' } };
      const first = await ask('/echo', more);
      const second = await ask('/echo', more);
      expect([first.status, isReplayed(first), second.status, isReplayed(second)]).toEqual([200, false, 200, true]);
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      expect(second.json).toEqual(first.json);
      expect(mesh.echo.hits()).toBe(1);
      expect((await mesh.list(`?limit=1000`)).tasks.filter(({ id }: any) => id === first.json.task_id)).toHaveLength(1);
    });

    it('gives a failure as it was, too', async () => {
      const first = await ask('/status?code=500');
      const calls = mesh.echo.hits();
      const second = await ask('/status?code=500');
      expect(second.json).toEqual(first.json);
      expect([second.json.status, isReplayed(second), mesh.echo.hits()]).toEqual(['error', true, calls]);
    });

    it('keeps an answer of 200 KiB whole', async () => {
      mesh.echo.handler = (_seen, response) => reply(response, 200, { text: 'y'.repeat(200 * 1024) });
      await ask('/big');
      expect((await ask('/big')).json.response_body.text).toHaveLength(200 * 1024);
    });

    it('fifty at once make one call: the others are told to come back, or get the outcome', async () => {
      mesh.echo.handler = (_seen, response) => void setTimeout(() => reply(response, 200, { n: 1 }), 100);
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/work', { method: 'POST' })));
      expect(mesh.echo.hits()).toBe(1);
      expect(answers.filter((answer) => answer.status === 200 && !isReplayed(answer))).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 409, 'CONFLICT');
      expect(new Set(answers.filter(({ status }) => status === 200).map(({ json }) => json.task_id)).size).toBe(1);
    });

    it('is 409 with Retry-After while the first one still runs', async () => {
      const gate = hold();
      const first = ask('/work');
      await until(() => gate.held.length === 1);
      const second = await ask('/work');
      expectError(second, 409, 'CONFLICT');
      expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      gate.open();
      expect((await first).json.status).toBe('success');
      expect(isReplayed(await ask('/work'))).toBe(true);
      expect(mesh.echo.hits()).toBe(1);
    });
  });

  describe('on an asynchronous task', () => {
    it('gives a repeat its receipt again while the task waits or runs', async () => {
      const gate = hold();
      const first = await ask('/work', {}, ASYNC);
      await until(() => gate.held.length === 1);
      const second = await ask('/work', {}, ASYNC);
      expect([first.status, isReplayed(first), second.status, isReplayed(second)]).toEqual([202, false, 202, true]);
      expect(second.json.task_id).toBe(first.json.task_id);
      expect(second.headers.get('location')).toBe(first.headers.get('location'));
      const waiting = await ask('/work', {}, { prefer: 'wait=0' });
      expect([waiting.status, isReplayed(waiting), waiting.json.task_id]).toEqual([202, true, first.json.task_id]);
      expectError(await ask('/work'), 409, 'CONFLICT');
      gate.open();
      await mesh.recordWhen(first.json.task_id);
      expect(mesh.echo.hits()).toBe(1);
    });

    it('gives a repeat the outcome once there is one, however it asks', async () => {
      const { json } = await ask('/array', {}, ASYNC);
      await mesh.recordWhen(json.task_id);
      const outcome = { task_id: json.task_id, status: 'success', response_status: 200, response_body: [1, 'two', null] };
      for (const headers of [{}, ASYNC, { prefer: 'wait=5' }]) {
        const again = await ask('/array', {}, headers);
        expect([isReplayed(again), again.json]).toEqual([true, expect.objectContaining(outcome)]);
      }
      expect((await ask('/array')).status).toBe(200);
      expect((await ask('/array', {}, { prefer: 'wait=5' })).status).toBe(200);
      expect(mesh.echo.hits()).toBe(1);
    });

    it('fifty at once are one task', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/echo', { method: 'POST' }, ASYNC)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
      expect(new Set(answers.map(({ json }) => json.task_id)).size).toBe(1);
      expect(answers.filter((answer) => !isReplayed(answer))).toHaveLength(1);
      await mesh.recordWhen(answers[0]?.json.task_id);
      expect(mesh.echo.hits()).toBe(1);
    });
  });

  it('stands for droplet, method, path and payload: another request is 422', async () => {
    const body = { method: 'POST', payload: { a: 1 } };
    const { json } = await ask('/echo', body);
    for (const [at, more] of [
      ['/echo?x', body],
      ['/echo', { ...body, method: 'PUT' }],
      ['/echo', { ...body, payload: { a: 2 } }],
      ['/echo', { ...body, payload: null }],
      ['/echo', { ...body, droplet_name: 'other' }],
    ] as const) {
      expectError(await ask(at, more), 422, 'IDEMPOTENCY_MISMATCH');
      expectError(await ask(at, more, ASYNC), 422, 'IDEMPOTENCY_MISMATCH');
    }
    const same = await ask('/echo', { ...body, droplet_name: 'ECHO', meta: { other: 'x' }, priority: 1, timeout_ms: 5000 });
    expect([same.status, same.json.task_id, isReplayed(same)]).toEqual([200, json.task_id, true]);
    expect([mesh.echo.hits(), mesh.other.hits()]).toEqual([1, 0]);
  });

  it('two keys are two tasks', async () => {
    await ask('/echo');
    await mesh.ask('/echo', {}, { 'idempotency-key': `${key}x` });
    expect(mesh.echo.hits()).toBe(2);
  });

  describe('what is no key', () => {
    const allowed = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('');

    it.each([
      ['one character', '!'],
      ['255 characters', 'k'.repeat(255)],
      ['every visible character', allowed],
    ])('%s is one', async (_what, value) => {
      key = value;
      expect([(await ask('/echo')).status, isReplayed(await ask('/echo'))]).toEqual([200, true]);
    });

    it.each([
      ['256 characters', 'k'.repeat(256)],
      ['empty', ''],
      ['a space inside', 'a b'],
      ['a tab inside', 'a\tb'],
      ['not ASCII', 'clé'],
    ])('%s is 400 that names the header, and nothing is stored or called', async (_what, value) => {
      const before = (await mesh.list('?limit=1')).total;
      for (const prefer of ['return=minimal', 'respond-async']) {
        const connection = await RawConnection.open(mesh.orchestrator.url);
        const headers = { 'content-type': 'application/json', 'idempotency-key': value, prefer };
        const answer = await connection.request('POST', '/tasks', headers, '{"droplet_name":"echo","path":"/echo"}').answer();
        connection.destroy();
        expectError(answer, 400, 'INVALID_REQUEST');
        expect(answer.json.error.details.errors[0].field).toBe('Idempotency-Key');
      }
      expect([(await mesh.list('?limit=1')).total, mesh.echo.hits()]).toEqual([before, 0]);
    });
  });

  describe('a request that was refused frees its key', () => {
    it.each<[string, object, number]>([
      ['an unknown droplet', { droplet_name: 'nobody' }, 400],
      ['a wrong field', { method: 'FETCH' }, 400],
      ['a callback that is not allowed', { callback_url: 'https://example.com' }, 400],
    ])('%s', async (_what, more, code) => {
      for (const headers of [{}, ASYNC]) expect((await ask('/echo', more, headers as Record<string, string>)).status).toBe(code);
      const good = await ask('/echo');
      expect([good.status, isReplayed(good), good.json.status]).toEqual([200, false, 'success']);
    });
  });

  it('stands for its task also when the droplet is not known any more', async () => {
    const [first, receipt] = [await ask('/echo'), await mesh.ask('/array', {}, { ...ASYNC, 'idempotency-key': `${key}x` })];
    await mesh.recordWhen(receipt.json.task_id);
    const { list } = mesh.registry;
    mesh.registry.list = list.map((each) => (each.name === 'Echo' ? { ...each, name: 'Renamed' } : each));
    await mesh.restart();
    await until(async () => (await mesh.orchestrator.get('/droplets/Echo')).status === 404);
    const again = await ask('/echo');
    expect([again.status, isReplayed(again), again.json]).toEqual([200, true, first.json]);
    const repeat = await mesh.ask('/array', {}, { ...ASYNC, 'idempotency-key': `${key}x` });
    expect([repeat.status, isReplayed(repeat), repeat.json.task_id]).toEqual([202, true, receipt.json.task_id]);
    for (const headers of [{}, ASYNC]) {
      expectError(await ask('/other', {}, headers), 422, 'IDEMPOTENCY_MISMATCH');
      expectError(await mesh.ask('/echo', {}, { ...headers, 'idempotency-key': 'fresh' }), 400, 'DROPLET_NOT_FOUND');
    }
    mesh.registry.list = list;
    await mesh.restart();
    await until(async () => (await mesh.orchestrator.get('/droplets/Echo')).status === 200);
    expect(mesh.echo.hits()).toBe(2);
  });

  it('of a caller who is refused because the droplet is paused is not even written, and an earlier one is answered', async () => {
    const first = await ask('/echo');
    await mesh.orchestrator.post('/orchestrator/droplets/echo/pause');
    const database = new DatabaseSync(path.join(mesh.orchestrator.home, 'orchestrator.db'), { readOnly: true });
    const version = () => database.prepare('PRAGMA data_version').get()?.data_version;
    const before = version();
    expectError(await mesh.ask('/echo', {}, { 'idempotency-key': `${key}x` }), 503, 'CIRCUIT_OPEN');
    const again = await ask('/echo');
    expect([isReplayed(again), again.json, version()]).toEqual([true, first.json, before]);
    database.close();
    await mesh.orchestrator.post('/orchestrator/droplets/echo/resume');
    expect(isReplayed(await mesh.ask('/echo', {}, { 'idempotency-key': `${key}x` }))).toBe(false);
  });

  it('survives a restart, on both kinds', async () => {
    const sync = await ask('/echo');
    key = `${key}-async`;
    const receipt = await ask('/later', { delay_ms: 3_600_000 });
    await mesh.restart();
    const again = await ask('/later', { delay_ms: 3_600_000 });
    expect([again.status, isReplayed(again), again.json.task_id]).toEqual([202, true, receipt.json.task_id]);
    key = key.replace('-async', '');
    const replayed = await ask('/echo');
    expect([isReplayed(replayed), replayed.json]).toEqual([true, sync.json]);
    expect(mesh.echo.hits('/echo')).toBe(1);
  });

  it('is kept for 24 hours, then it is free', async () => {
    const first = await ask('/echo');
    const database = new DatabaseSync(path.join(mesh.orchestrator.home, 'orchestrator.db'));
    const kept = database.prepare('SELECT expires_at FROM idempotency_keys WHERE key = ?').get(key);
    const hours = (Number(kept?.expires_at) - Date.now()) / 3_600_000;
    expect([hours > 23.9, hours <= 24]).toEqual([true, true]);
    database.prepare('UPDATE idempotency_keys SET expires_at = ? WHERE key = ?').run(Date.now() - 1, key);
    database.close();
    const other = await ask('/array');
    expect([other.status, isReplayed(other)]).toEqual([200, false]);
    expect(other.json.task_id).not.toBe(first.json.task_id);
    expect(isReplayed(await ask('/array'))).toBe(true);
  });
});
