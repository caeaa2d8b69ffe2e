import { afterEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import { reply, TestServer, type Seen } from './support/server.js';
import { aMoment, ASYNC, Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

const OLD = `whsec_${Buffer.from('the old secret, long enough').toString('base64')}`;
const NEW = `whsec_${Buffer.from('the new secret, long enough').toString('base64')}`;
const LOCAL = { CALLBACK_SECRET: NEW, CALLBACK_ALLOW_PRIVATE: 'true' };

const stopping = stopsAfterEach();
let mesh: TaskMesh;
let receiver: TestServer;

afterEach(() => mesh.stop());

const start = async (settings: Record<string, string> = LOCAL): Promise<void> => {
  mesh = await TaskMesh.start(settings);
  receiver = stopping(await TestServer.start((_seen, response) => reply(response, 204)));
};
const hook = (path = '/hook?of=mine'): { callback_url: string } => ({ callback_url: `${receiver.url}${path}` });
const callbackOf = async (id: string, status: string): Promise<any> =>
  until(async () => {
    const record = await mesh.record(id);
    return record.callback?.status === status ? record.callback : null;
  });
/** What was sent, if the signature is the one of this secret. @throws when it is not */
const verified = ({ body, headers }: Seen, secret: string): any =>
  new Webhook(secret).verify(body, headers as Record<string, string>);

describe('a callback', () => {
  it('tells the caller once how the task ended: the record, signed by Standard Webhooks', async () => {
    await start();
    const id = await mesh.queue('/echo', { ...hook(), meta: { order: '7' } });
    expect(await callbackOf(id, 'delivered')).toEqual({ status: 'delivered', attempts: 1, last_error: null });
    await aMoment();
    const [call, ...more] = receiver.seen;
    if (!call) throw new Error('no callback');
    expect(more).toEqual([]);
    expect([call.method, call.url]).toEqual(['POST', '/hook?of=mine']);
    expect(call.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': id });
    expect(Math.abs(Number(call.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    const { type, timestamp, data } = verified(call, NEW);
    expect([type, new Date(timestamp).toISOString()]).toEqual(['task.success', timestamp]);
    const record = await mesh.record(id);
    expect({ ...data, callback: record.callback }).toEqual(record);
    expect(data.history).toHaveLength(1);
    expect(data).toMatchObject({ id, status: 'success', meta: { order: '7' }, response_body: { method: 'GET' } });
    expect(() => verified({ ...call, body: call.body.replace('"7"', '"8"') }, NEW)).toThrow();
    expect(() => verified(call, OLD)).toThrow();
  });

  it('that is under way does not lose the task when that is run again meanwhile', async () => {
    await start({ ...LOCAL, DROPLET_MAX_IN_FLIGHT: '1' });
    const [delivery, work] = [new Gate(), new Gate()];
    receiver.handler = delivery.handler;
    const id = await mesh.queue('/status?code=404', hook());
    await until(() => delivery.held.length === 1);
    mesh.echo.handler = work.handler;
    await mesh.queue('/block');
    await until(() => work.held.length === 1);
    expect((await mesh.retry(id)).status).toBe(202);
    delivery.open();
    await aMoment();
    work.open();
    await mesh.recordWhen(id, ['success']);
  });

  it('is signed with both secrets while one replaces the other', async () => {
    await start({ ...LOCAL, CALLBACK_SECRET: `${NEW} ${OLD}` });
    await callbackOf(await mesh.queue('/echo', hook()), 'delivered');
    const [call] = receiver.seen;
    if (!call) throw new Error('no callback');
    expect(String(call.headers['webhook-signature']).split(' ')).toHaveLength(2);
    for (const secret of [OLD, NEW]) expect(verified(call, secret)).toMatchObject({ type: 'task.success' });
  });

  it.each([
    ['error', '/status?code=404', {}],
    ['timeout', '/never', { attempt_timeout_ms: 100, max_attempts: 1 }],
  ])('says task.%s', async (status, path, more) => {
    await start();
    const id = await mesh.queue(path, { ...hook(), ...more });
    await callbackOf(id, 'delivered');
    expect(JSON.parse(receiver.seen[0]?.body ?? '')).toMatchObject({ type: `task.${status}`, data: { id, status } });
  });

  it.each(['queued', 'running'])('says task.cancelled of a task that was %s', async (was) => {
    await start();
    const gate = mesh.hold();
    const id = await mesh.queue('/work', { ...hook(), ...(was === 'queued' ? { delay_ms: 60_000 } : {}) });
    if (was === 'running') await until(() => gate.held.length === 1);
    expect((await mesh.cancel(id)).status).toBe(200);
    await callbackOf(id, 'delivered');
    expect(JSON.parse(receiver.seen[0]?.body ?? '')).toMatchObject({ type: 'task.cancelled', data: { id } });
    expect(receiver.hits()).toBe(1);
  });

  it('is sent for a synchronous task too, after its answer', async () => {
    await start();
    const { status, json } = await mesh.ask('/echo', { ...hook(), method: 'POST', payload: { n: 1 } });
    expect([status, json.status]).toEqual([200, 'success']);
    expect(await callbackOf(json.task_id, 'delivered')).toMatchObject({ attempts: 1 });
    expect(receiver.seen.map((call) => verified(call, NEW))[0]).toMatchObject({
      type: 'task.success',
      data: { id: json.task_id },
    });
    const keyed = await mesh.ask('/echo', hook('/keyed'), { 'idempotency-key': 'k' });
    await callbackOf(keyed.json.task_id, 'delivered');
    expect(receiver.hits('/keyed')).toBe(1);
  });

  it('is sent for a synchronous task with credentials, which it does not show', async () => {
    await start();
    for (const path of ['/echo', '/status?code=404']) {
      const { json } = await mesh.ask(path, { ...hook(), headers: { authorization: 'Bearer top-secret' } });
      await callbackOf(json.task_id, 'delivered');
    }
    expect(receiver.hits()).toBe(2);
    const [, failed] = receiver.seen.map(({ body }) => JSON.parse(body));
    expect(JSON.stringify({ ...failed, data: { ...failed.data, response_body: null } })).not.toContain('top-secret');
    expectError(await mesh.retry(failed.data.id), 409, 'CONFLICT');
  });

  it('is sent for each task of a batch', async () => {
    await start();
    const tasks = Array.from({ length: 20 }, () => ({ droplet_name: 'echo', path: '/health', ...hook() }));
    const { json } = await mesh.orchestrator.post('/tasks/batch', { tasks });
    for (const { task_id } of json.results) await callbackOf(task_id, 'delivered');
    expect(new Set(receiver.seen.map(({ headers }) => headers['webhook-id'])).size).toBe(20);
    expect(receiver.hits()).toBe(20);
  });

  it('carries up to STORED_RESPONSE_LIMIT of the answer', async () => {
    await start();
    mesh.echo.handler = (_seen, response) => reply(response, 200, { text: 'z'.repeat(100 * 1024) });
    await callbackOf(await mesh.queue('/big', hook()), 'delivered');
    expect(JSON.parse(receiver.seen[0]?.body ?? '').data.response_body.text).toHaveLength(100 * 1024);
  });

  it('is sent again when the task was retried and has a new end', async () => {
    await start();
    mesh.echo.handler = (_seen, response) => reply(response, mesh.echo.hits() === 1 ? 404 : 200, {});
    const id = await mesh.queue('/work', hook());
    await callbackOf(id, 'delivered');
    expect((await mesh.retry(id)).json.callback).toBeNull();
    await callbackOf(id, 'delivered');
    expect(receiver.seen.map(({ body }) => JSON.parse(body).type)).toEqual(['task.error', 'task.success']);
  });
});

describe('a receiver that fails', () => {
  it('is asked again, with the same id and a good signature each time', async () => {
    await start();
    receiver.handler = (_seen, response) => reply(response, receiver.hits() < 3 ? 503 : 200, {});
    const id = await mesh.queue('/echo', hook());
    expect(await callbackOf(id, 'delivered')).toEqual({ status: 'delivered', attempts: 3, last_error: null });
    expect(receiver.seen.map(({ headers }) => headers['webhook-id'])).toEqual([id, id, id]);
    for (const call of receiver.seen) verified(call, NEW);
    expect((await mesh.record(id)).status).toBe('success');
    expect(mesh.echo.hits()).toBe(1);
  });

  it('is given up after ASYNC_MAX_RETRIES attempts; the task keeps its own outcome', async () => {
    await start({ ...LOCAL, ASYNC_MAX_RETRIES: '3' });
    receiver.handler = (_seen, response) => reply(response, 500, {});
    const id = await mesh.queue('/echo', hook());
    const { attempts, last_error } = await callbackOf(id, 'failed');
    expect([attempts, last_error]).toEqual([3, 'The receiver answered HTTP 500']);
    await aMoment();
    expect(receiver.hits()).toBe(3);
    expect(await mesh.record(id)).toMatchObject({ status: 'success', error: null, attempts: 1 });
  });

  it('with a 4xx is not asked again', async () => {
    await start();
    receiver.handler = (_seen, response) => reply(response, 410, {});
    expect(await callbackOf(await mesh.queue('/echo', hook()), 'failed')).toMatchObject({ attempts: 1 });
    expect(receiver.hits()).toBe(1);
  });

  it('with a redirect is not followed', async () => {
    await start();
    const other = stopping(await startDroplet());
    receiver.handler = (_seen, response) => reply(response, 302, {}, { location: `${other.url}/echo` });
    expect(await callbackOf(await mesh.queue('/echo', hook()), 'failed')).toMatchObject({
      ...{ attempts: 1, last_error: 'The receiver answered HTTP 302' },
    });
    expect(other.seen).toEqual([]);
  });

  it('that hangs does not hold the tasks, nor the callbacks to others', async () => {
    await start({ ...LOCAL, DROPLET_MAX_IN_FLIGHT: '1' });
    const good = stopping(await TestServer.start((_seen, response) => reply(response, 200)));
    receiver.handler = () => undefined;
    const stuck = await mesh.queue('/echo', hook());
    await until(() => receiver.hits() === 1);
    const id = await mesh.queue('/echo', { callback_url: `${good.url}/hook` });
    expect(await callbackOf(id, 'delivered')).toMatchObject({ attempts: 1 });
    expect(await mesh.record(stuck)).toMatchObject({ status: 'success', callback: { status: 'pending', attempts: 0 } });
  });

  it('is not helped by a cancel: the task is final, and its callback goes on', async () => {
    await start();
    const gate = new Gate();
    receiver.handler = gate.handler;
    const id = await mesh.queue('/echo', hook());
    await until(() => gate.held.length === 1);
    expectError(await mesh.cancel(id), 409, 'CONFLICT');
    gate.open();
    expect(await callbackOf(id, 'delivered')).toMatchObject({ attempts: 1 });
    expect(receiver.hits()).toBe(1);
  });
});

describe('a restart', () => {
  it('does not lose a callback that waits for its next attempt, nor its count', async () => {
    await start({ ...LOCAL, ASYNC_BACKOFF_BASE_MS: '1500', ASYNC_BACKOFF_MAX_MS: '1500' });
    receiver.handler = (_seen, response) => reply(response, receiver.hits() < 2 ? 503 : 200, {});
    const id = await mesh.queue('/echo', hook());
    await until(async () => (await mesh.record(id)).callback?.attempts === 1);
    await mesh.restart();
    expect(await callbackOf(id, 'delivered')).toMatchObject({ attempts: 2 });
    expect(receiver.hits()).toBe(2);
  });

  it('that comes after its deadline gives it the whole time again', async () => {
    await start({ ...LOCAL, ASYNC_TASK_TIMEOUT: '3', SHUTDOWN_GRACE: '0.1' });
    const gate = new Gate();
    receiver.handler = gate.handler;
    const id = await mesh.queue('/echo', hook());
    await until(() => gate.held.length === 1);
    await mesh.orchestrator.leave();
    const endedAt = receiver.seen[0]?.at ?? 0;
    await until(() => performance.now() > endedAt + 3500);
    receiver.handler = (_seen, response) => void setTimeout(() => reply(response, 204), 50);
    await mesh.revive();
    expect(await callbackOf(id, 'delivered')).toMatchObject({ attempts: 1 });
  });

  it('gives a running one back, with no attempt spent', async () => {
    await start({ ...LOCAL, SHUTDOWN_GRACE: '0.1' });
    const gate = new Gate();
    receiver.handler = gate.handler;
    const id = await mesh.queue('/echo', hook());
    await until(() => gate.held.length === 1);
    await mesh.orchestrator.leave();
    gate.open();
    await mesh.revive();
    expect(await callbackOf(id, 'delivered')).toMatchObject({ attempts: 1 });
  });
});

describe('a callback_url', () => {
  it('without CALLBACK_SECRET is 400 that says so', async () => {
    await start({});
    for (const headers of [{}, ASYNC]) {
      const answer = await mesh.ask('/echo', { callback_url: 'https://example.com/' }, headers);
      expectError(answer, 400, 'INVALID_REQUEST');
      expect(answer.json.error.details.errors).toEqual([
        { field: 'callback_url', message: expect.stringContaining('CALLBACK_SECRET') },
      ]);
    }
    expect((await mesh.list()).total).toBe(0);
  });

  it('must be a sane https URL', async () => {
    await start({ CALLBACK_SECRET: NEW });
    for (const callback_url of [
      ...['http://example.com/', 'ftp://example.com/', 'example.com', '/hook', '', 'https://', 'https://user:pw@example.com/'],
      ...[
        'https://example.com/#part',
        'https://exa mple.com/',
        'https://example.com/ü',
        `https://example.com/${'x'.repeat(2048)}`,
      ],
      ...[7, {}, 'javascript:alert(1)'],
    ]) {
      const answer = await mesh.ask('/echo', { callback_url, delay_ms: 3_600_000 });
      expectError(answer, 400, 'INVALID_REQUEST');
      expect(answer.json.error.details.errors[0].field).toBe('callback_url');
    }
    expect((await mesh.list()).total).toBe(0);
    expect((await mesh.ask('/echo', { callback_url: 'https://example.com/a?b', delay_ms: 3_600_000 })).status).toBe(202);
  });

  it('that leads to a private address is not called, by number or by name', async () => {
    await start({ CALLBACK_SECRET: NEW });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '10.1.2.3', '192.168.0.1', '169.254.169.254', '2130706433']) {
      const id = await mesh.queue('/echo', { callback_url: `https://${host}:${receiver.port}/hook` });
      const { attempts, last_error } = await callbackOf(id, 'failed');
      expect([host, attempts, last_error]).toEqual([host, 1, expect.stringContaining('refused')]);
    }
    expect([receiver.connectionCount, receiver.seen]).toEqual([0, []]);
  });

  it('never leads to a metadata service, also when private ones are allowed', async () => {
    await start();
    const id = await mesh.queue('/echo', { callback_url: 'http://169.254.169.254/latest' });
    expect(await callbackOf(id, 'failed')).toMatchObject({ attempts: 1, last_error: expect.stringContaining('refused') });
  });
});
