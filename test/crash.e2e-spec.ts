import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { CrashLoop, lineOf, NOTHING } from './crash/crash.loop.js';
import { CrashServer, POINTS } from './crash/crash.server.js';
import { startDroplet } from './support/droplet.js';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import { tempFolder } from './support/process.js';
import { reply, type TestServer } from './support/server.js';

const SEED = 20_260_101;
const ROUNDS = 36;
const CONTROL_ROUNDS = 6;

describe('kill -9, again and again', () => {
  const stops = stopsAfterEach();

  it(`loses, doubles and forgets no acknowledged task in ${ROUNDS} rounds`, async () => {
    const loop = stops(await CrashLoop.start(SEED));
    for (let round = 0; round < ROUNDS; round++) await loop.round();
    const report = await loop.finish();
    process.stdout.write(lineOf(report));
    expect(report).toMatchObject(NOTHING);
    // A loop that killed nothing, or acknowledged nothing, proves nothing.
    expect(Object.keys(report.deaths).sort()).toEqual([...POINTS, 'any moment'].sort());
    expect(report.acknowledged).toBeGreaterThan(10 * ROUNDS);
    expect(report.calls).toBeGreaterThanOrEqual(report.acknowledged);
  }, 300_000);

  it('finds the tasks that a server loses which replies before it commits', async () => {
    const loop = stops(await CrashLoop.start(SEED, true));
    for (let round = 0; round < CONTROL_ROUNDS; round++) await loop.round();
    const report = await loop.finish();
    process.stdout.write(`control build, which replies early: ${lineOf(report)}`);
    expect(report.lost.length).toBeGreaterThan(0);
  }, 120_000);
});

describe('a task over which the process dies', () => {
  let home: string;
  let droplet: TestServer;
  let server: CrashServer;

  const restart = async (): Promise<void> => {
    server = await CrashServer.start(home);
  };
  /** The server dies when the droplet is asked for `/poison`, as one would that runs out of memory over an answer. */
  const died = async (): Promise<void> => {
    expect((await server.process.end()).signal).toBe('SIGKILL');
  };

  beforeEach(async () => {
    home = tempFolder();
    droplet = await startDroplet();
    const answer = droplet.handler;
    droplet.handler = (seen, response) => {
      if (seen.url !== '/poison') return answer(seen, response);
      server.kill();
      reply(response, 200);
    };
    await restart();
    await server.post('/register', { name: 'echo', url: droplet.url });
  });

  afterEach(async () => {
    await server.process.kill();
    await droplet.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('three times ends as INTERRUPTED, which says so, and the server lives', async () => {
    const { json } = await server.task({ droplet_name: 'echo', path: '/poison' }, { prefer: 'respond-async' });
    const id = json.task_id as string;
    await died();
    for (const death of [2, 3]) {
      server = await CrashServer.spawn(home);
      await died();
      expect(droplet.hits('/poison')).toBe(death);
    }
    await restart();
    await server.allFinal();
    const { json: task } = await server.get(`/tasks/${id}`);
    expect(task).toMatchObject({ status: 'error', response_status: null, error: { code: 'INTERRUPTED' } });
    expect(task.error.message).toContain('3 times');
    expect(task.error.details.effect).toBe('unknown');
    expect(task.completed_at).not.toBeNull();
    expect(droplet.hits('/poison')).toBe(3);
    expect((await server.task({ droplet_name: 'echo', path: '/health' })).json.status).toBe('success');
  }, 60_000);

  it('once or twice runs again, with no attempt spent', async () => {
    const { json } = await server.task({ droplet_name: 'echo', path: '/poison' }, { prefer: 'respond-async' });
    await died();
    const answer = droplet.handler;
    droplet.handler = (seen, response) => (seen.url === '/poison' ? reply(response, 200, 'well') : answer(seen, response));
    await restart();
    await server.allFinal();
    const { json: task } = await server.get(`/tasks/${json.task_id}`);
    expect(task).toMatchObject({ status: 'success', attempts: 1, retry_count: 0, error: null });
    expect(droplet.hits('/poison')).toBe(2);
  }, 60_000);

  it('even once ends as INTERRUPTED when it must not be repeated', async () => {
    const task = { droplet_name: 'echo', method: 'POST', path: '/poison', retry_unsafe: false };
    const { json } = await server.task(task, { prefer: 'respond-async' });
    await died();
    await restart();
    await server.allFinal();
    expect((await server.get(`/tasks/${json.task_id}`)).json).toMatchObject({
      ...{ status: 'error', response_status: null },
      error: { code: 'INTERRUPTED', details: { effect: 'unknown', stopped_by: null } },
    });
    expect(droplet.hits('/poison')).toBe(1);
  }, 60_000);

  it('while its caller waits ends as INTERRUPTED, is not run again, and its key replays that', async () => {
    const task = { droplet_name: 'echo', method: 'POST', path: '/poison', payload: { order: 7 } };
    await expect(server.task(task, { 'idempotency-key': 'order-7' })).rejects.toThrow();
    await died();
    await restart();
    const again = await server.task(task, { 'idempotency-key': 'order-7' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(again.json).toMatchObject({ status: 'error', response_status: null, error: { code: 'INTERRUPTED' } });
    expect(again.json.error.details.effect).toBe('unknown');
    expect((await server.get(`/tasks/${again.json.task_id}`)).json.status).toBe('error');
    expect(droplet.hits('/poison')).toBe(1);
  }, 60_000);
});
