import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { until, type HttpAnswer } from './support/http.client.js';
import { TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

const BODY_LIMIT = 64 * 1024;

describe('POST /tasks/batch', () => {
  let mesh: TaskMesh;

  beforeAll(async () => {
    mesh = await TaskMesh.start({ BODY_LIMIT: String(BODY_LIMIT) });
  });
  beforeEach(() => {
    mesh.echo.seen.length = 0;
  });
  afterAll(() => mesh.stop());

  const post = (body: unknown): Promise<HttpAnswer> => mesh.orchestrator.post('/orchestrator/tasks/batch', body);
  const later = (more: object = {}): object => ({ droplet_name: 'echo', path: '/echo', delay_ms: 3_600_000, ...more });
  const stored = async (): Promise<number> => (await mesh.list('?limit=1')).total;
  const fieldOf = ({ json }: HttpAnswer): string => json.error.details.errors[0].field;

  it('runs one, asynchronously, without any Prefer', async () => {
    const { status, json } = await post({ tasks: [{ droplet_name: 'echo', path: '/echo', meta: { of: 'one' } }] });
    expect(status).toBe(200);
    expect(json).toEqual({ results: [{ task_id: expect.any(String), status: 'queued' }], accepted: 1, rejected: 0 });
    expect(await mesh.recordWhen(json.results[0].task_id)).toMatchObject({ status: 'success', meta: { of: 'one' } });
  });

  it('runs a thousand, each once', async () => {
    const tasks = Array.from({ length: 1000 }, (_, n) => ({
      droplet_name: 'echo',
      path: '/health',
      meta: { run: 'k', n: `${n}` },
    }));
    const { status, json } = await post({ tasks });
    expect([status, json.accepted, json.rejected, json.results.length]).toEqual([200, 1000, 0, 1000]);
    const ids = json.results.map(({ task_id }: any) => task_id);
    expect(new Set(ids).size).toBe(1000);
    await until(async () => (await mesh.list('?meta.run=k&status=success&limit=1')).total === 1000, 18_000);
    expect(mesh.echo.hits('/health')).toBe(1000);
    expect(new Set(mesh.echo.seen.map(({ headers }) => headers['x-task-id']))).toEqual(new Set(ids));
    expect(await mesh.record(ids[7])).toMatchObject({ meta: { n: '7' } });
  });

  it('gives each its own outcome, in the order of the list; the good ones are taken', async () => {
    const before = await stored();
    const { status, json } = await post({
      tasks: [
        later(),
        { path: '/x' },
        later({ method: 'FETCH' }),
        later({ droplet_name: 'nobody' }),
        later({ path: '/../up' }),
        later({ run_at: 'soon', delay_ms: null }),
        later({ run_at: '2066-01-01' }),
        later({ headers: { Authorization: 'Bearer secret' } }),
        later({ callback_url: 'https://example.com' }),
        later({ priority: 11 }),
        'no task',
        null,
        later({ timeout_ms: 604_800_000, priority: 9 }),
      ],
    });
    expect(status).toBe(200);
    expect([json.accepted, json.rejected]).toEqual([2, 11]);
    const told = json.results.map(({ task_id, status: at, error }: any) =>
      error ? [error.code, error.details.errors?.[0].field] : [typeof task_id, at],
    );
    expect(told).toEqual([
      ['string', 'queued'],
      ['INVALID_REQUEST', 'droplet_name'],
      ['INVALID_REQUEST', 'method'],
      ['DROPLET_NOT_FOUND', undefined],
      ['INVALID_REQUEST', 'path'],
      ['INVALID_REQUEST', 'run_at'],
      ['INVALID_REQUEST', 'run_at'],
      ['INVALID_REQUEST', 'headers'],
      ['INVALID_REQUEST', 'callback_url'],
      ['INVALID_REQUEST', 'priority'],
      ['INVALID_REQUEST', expect.any(String)],
      ['INVALID_REQUEST', expect.any(String)],
      ['string', 'queued'],
    ]);
    for (const result of json.results) {
      expect(Object.keys(result)).toEqual(result.error ? ['error'] : ['task_id', 'status']);
      if (result.error) expect(Object.keys(result.error)).toEqual(['code', 'message', 'details']);
    }
    expect(JSON.stringify(json)).not.toContain('secret');
    expect(await stored()).toBe(before + 2);
  });

  it('all refused is still a 200 that says so', async () => {
    const { status, json } = await post({ tasks: [{}, {}] });
    expect([status, json.accepted, json.rejected]).toEqual([200, 0, 2]);
  });

  it.each<[string, unknown]>([
    ['an empty list', { tasks: [] }],
    ['1001 tasks', { tasks: Array.from({ length: 1001 }, () => ({ droplet_name: 'echo', path: '/' })) }],
    ['no list', { tasks: { droplet_name: 'echo', path: '/' } }],
    ['a null', { tasks: null }],
    ['nothing', {}],
    ['a bare list', [{ droplet_name: 'echo', path: '/' }]],
    ['no body', undefined],
  ])('%s is 400 that names tasks, and nothing is stored', async (_what, body) => {
    const before = await stored();
    const answer = await post(body);
    expectError(answer, 400, 'INVALID_REQUEST');
    expect(fieldOf(answer)).toBe('tasks');
    expect(await stored()).toBe(before);
  });

  it('is one transaction: when the last one cannot be written, none is there', async () => {
    const before = await stored();
    const database = new DatabaseSync(path.join(mesh.orchestrator.home, 'orchestrator.db'));
    database.exec(`CREATE TRIGGER no_thirteen BEFORE INSERT ON tasks WHEN NEW.path = '/13'
                   BEGIN SELECT RAISE(ABORT, 'unlucky'); END`);
    const answer = await post({ tasks: Array.from({ length: 14 }, (_, n) => later({ path: `/${n}` })) });
    database.exec('DROP TRIGGER no_thirteen');
    database.close();
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.text).not.toContain('task_id');
    expect(await stored()).toBe(before);
    await until(async () => (await post({ tasks: [later()] })).status === 200);
  });

  it('the body may be sixteen times BODY_LIMIT, and no more', async () => {
    const task = later({ payload: { text: 'x'.repeat(BODY_LIMIT / 2) } });
    const fits = await post({ tasks: Array.from({ length: 30 }, () => task) });
    expect([fits.status, fits.json.accepted]).toEqual([200, 30]);
    const before = await stored();
    expectError(await post({ tasks: Array.from({ length: 33 }, () => task) }), 413, 'PAYLOAD_TOO_LARGE');
    expectError(await mesh.orchestrator.task({ ...task, more: 'x'.repeat(BODY_LIMIT) }), 413, 'PAYLOAD_TOO_LARGE');
    expect(await stored()).toBe(before);
  });

  it('the limits on structure hold for each task, not for all together', async () => {
    const keys = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1]));
    const nine = later({ payload: keys(9000) });
    const { status, json } = await post({ tasks: [nine, nine, nine] });
    expect([status, json.accepted]).toEqual([200, 3]);
    const answer = await post({ tasks: [later(), later({ payload: keys(10_001) })] });
    expectError(answer, 400, 'INVALID_REQUEST');
    expect(fieldOf(answer)).toContain('1');
  });

  it('keeps the numbers of every payload as they were written', async () => {
    const task = '{"droplet_name":"echo","method":"POST","path":"/echo","payload":[9007199254740993,1e400]}';
    const { json } = await post(`{"tasks":[${task},${task}]}`);
    for (const { task_id } of json.results) await mesh.recordWhen(task_id);
    expect(mesh.echo.seen.map(({ body }) => body)).toEqual(['[9007199254740993,1e400]', '[9007199254740993,1e400]']);
  });
});
