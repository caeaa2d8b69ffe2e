import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './support/http.client.js';
import { reply } from './support/server.js';
import { aMoment, ASYNC, Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';
import { TestOrchestrator } from './support/orchestrator.js';

let folder: string;
let file: string;
let mesh: TaskMesh | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'policy-'));
  file = path.join(folder, 'policies.json');
});
afterEach(async () => {
  await mesh?.stop();
  mesh = undefined;
  rmSync(folder, { recursive: true });
});

const write = (policies: unknown): void => {
  writeFileSync(`${file}.new`, typeof policies === 'string' ? policies : JSON.stringify(policies));
  renameSync(`${file}.new`, file);
};
const start = async (policies: unknown, settings: Record<string, string> = {}): Promise<TaskMesh> => {
  write(policies);
  mesh = await TaskMesh.start({ POLICY_FILE: file, ...settings });
  return mesh;
};

describe('the policy of a droplet', () => {
  it('names statuses that are retried although they are no 5xx', async () => {
    const { made, ask } = bound(await start({ echo: { retry_statuses: [429] } }));
    const { json } = await ask('/flaky?fail=2&code=429');
    expect(json).toMatchObject({ status: 'success', attempts: 3, retry_count: 2 });
    expect((await ask('/status?code=404')).json).toMatchObject({ attempts: 1, retry_count: 0 });
    expect((await ask('/status?code=429')).json).toMatchObject({
      ...{ status: 'error', attempts: 3, retry_count: 3 },
      error: { code: 'DROPLET_ERROR', details: { stopped_by: 'attempts' } },
    });
    expect(made.echo.hits()).toBe(7);
    const other = await made.orchestrator.task({ droplet_name: 'other', path: '/status?code=429' });
    expect(other.json).toMatchObject({ attempts: 1, retry_count: 0 });
  });

  it('retries a named status of an asynchronous task too', async () => {
    const { queue, recordWhen } = bound(await start({ ECHO: { retry_statuses: [409] } }));
    expect(await recordWhen(await queue('/flaky?fail=1&code=409'))).toMatchObject({ status: 'success', attempts: 2 });
  });

  it('sets attempts and time limits where the task does not', async () => {
    const { ask } = bound(await start({ echo: { max_attempts: 2, attempt_timeout_ms: 100 } }));
    expect((await ask('/never')).json).toMatchObject({ status: 'timeout', attempts: 2 });
    expect((await ask('/never', { max_attempts: 1 })).json).toMatchObject({ status: 'timeout', attempts: 1 });
    expect((await ask('/slow?ms=200', { attempt_timeout_ms: 5000 })).json).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('sets the deadline of the whole task', async () => {
    const { ask } = bound(await start({ echo: { timeout_ms: 150 } }));
    expect((await ask('/never')).json).toMatchObject({ status: 'timeout', error: { code: 'TIMEOUT' } });
  });

  it('keeps nobody who waits longer than ten minutes, not the sender of a message either', async () => {
    const { made, ask } = bound(await start({ echo: { timeout_ms: 86_400_000, max_attempts: 1, attempt_timeout_ms: 700 } }));
    await ask('/x');
    const message = { target: 'echo', message_type: 'event', payload: {}, retry_count: 2 };
    made.echo.handler = (seen, response) => reply(response, seen.headers['x-task-attempt'] === '1' ? 503 : 200, {});
    expect((await made.orchestrator.post('/orchestrator/send', message)).json.sent).toBe(true);
    const deadlines = made.echo.seen.map(({ headers }) => Number(headers['x-task-deadline-ms']));
    expect(deadlines).toHaveLength(3);
    for (const deadline of deadlines) expect(deadline).toBeLessThanOrEqual(600_000);
  });

  it('bounds its calls, of callers and of asynchronous tasks', async () => {
    const { made, ask, queue, recordWhen } = bound(await start({ echo: { max_in_flight: 2, max_waiting: 0 } }));
    const gate = new Gate();
    made.echo.handler = gate.handler;
    const ids = await Promise.all(Array.from({ length: 6 }, () => queue('/work')));
    await until(() => gate.held.length === 2);
    await aMoment();
    expectError(await ask('/x'), 503, 'OVERLOADED');
    expect(gate.most).toBe(2);
    const { tasks } = await made.list('?status=running');
    expect(tasks).toHaveLength(2);
    gate.open();
    for (const id of ids) expect((await recordWhen(id)).status).toBe('success');
  });

  it('spaces its calls by a rate', async () => {
    const { made, ask } = bound(await start({ echo: { rate_per_second: 20 } }));
    await Promise.all(Array.from({ length: 12 }, () => ask('/echo')));
    const [first, ...others] = made.echo.seen.map(({ at }) => at);
    // Eleven gaps of 50 ms, where unspaced they are a few ms in all; what the droplet sees first may have come late.
    expect(others.at(-1)! - first!).toBeGreaterThanOrEqual(275);
  });

  it('has a breaker of its own', async () => {
    const { ask } = bound(await start({ echo: { max_attempts: 1, breaker: { min_calls: 2, open_ms: 60_000 } } }));
    for (let count = 0; count < 2; count++) await ask('/status?code=500');
    expectError(await ask('/echo'), 503, 'CIRCUIT_OPEN');
  });

  it('sets headers, which win over those of the caller, but never over ours; none of it is shown or stored', async () => {
    const secret = 's3cr3t-of-the-file';
    writeFileSync(path.join(folder, 'token'), `Bearer ${secret}\n`);
    const headers = { Authorization: `file:${path.join(folder, 'token')}`, 'X-Team': 'ours', 'User-Agent': 'policy' };
    const { made, ask, queue, recordWhen } = bound(await start({ echo: { headers } }));
    const { json } = await ask('/echo', { headers: { 'X-Team': 'theirs', 'X-Own': 'kept' } });
    const seen = made.echo.seen[0]?.headers;
    expect(seen).toMatchObject({
      authorization: `Bearer ${secret}`,
      'x-team': 'ours',
      'x-own': 'kept',
      'x-task-id': json.task_id,
    });
    made.echo.handler = (_seen, response) => reply(response, 200, {});
    const record = await recordWhen(await queue('/x'));
    expect(made.echo.seen.at(-1)?.headers.authorization).toBe(`Bearer ${secret}`);
    const pages = ['/droplets', '/metrics/prometheus', `/tasks/${record.id}`];
    for (const page of pages) expect((await made.orchestrator.get(`/orchestrator${page}`)).text).not.toContain(secret);
  });

  it('of the Registry entry counts where the file says nothing, and never sets headers', async () => {
    const { made, ask } = bound(await start({ Echo: { max_attempts: 2 } }));
    const policy = { max_attempts: 9, retry_statuses: [418], headers: { 'x-injected': 'yes' } };
    made.registry.list = made.registry.list.map((each) => ({ ...each, metadata: { version: '1', policy } }));
    await made.restart();
    made.echo.seen.length = 0;
    const { json } = await ask('/status?code=418');
    expect(json).toMatchObject({ attempts: 2, retry_count: 2 });
    expect(made.echo.seen[0]?.headers).not.toHaveProperty('x-injected');
    expect((await made.orchestrator.task({ droplet_name: 'other', path: '/status?code=418' })).json.attempts).toBe(9);
  });

  it('of the Registry entry that is no policy changes nothing', async () => {
    const { made, ask } = bound(await start({}));
    const policy = { max_attempts: 'many', timeout_ms: -1 };
    made.registry.list = made.registry.list.map((each) => ({ ...each, metadata: { version: '1', policy } }));
    await made.restart();
    expect((await ask('/status?code=503')).json).toMatchObject({ attempts: 3 });
  });
});

describe('POLICY_FILE', () => {
  it('is taken when it changes', async () => {
    const { ask } = bound(await start({ echo: { max_attempts: 1 } }));
    const attempts = async (): Promise<number> => (await ask('/status?code=503')).json.attempts;
    expect(await attempts()).toBe(1);
    write({ echo: { max_attempts: 2 } });
    await until(async () => (await attempts()) === 2);
  });

  it.each([
    ['is not there', null],
    ['is no JSON', '{'],
    ['is a list', '[]'],
    ['has a bad field', '{"echo":{"max_attempts":"s3cr3t"}}'],
    ['sets a header that it may not', '{"echo":{"headers":{"X-Task-Id":"s3cr3t"}}}'],
    ['names a file for a header that is not there', '{"echo":{"headers":{"x-a":"file:/no/such/file"}}}'],
  ])('that %s stops the start with a line that names it', async (_title, text) => {
    if (text !== null) write(text);
    const started = TestOrchestrator.start({ POLICY_FILE: file });
    await expect(started).rejects.toThrow(/^POLICY_FILE cannot be used: /);
    await expect(started).rejects.not.toThrow(/s3cr3t/);
  });
});

describe('asynchronous tasks and a deadline of the policy', () => {
  it('count it from when they are due', async () => {
    const { made, recordWhen } = bound(await start({ echo: { timeout_ms: 200, attempt_timeout_ms: 120_000 } }));
    const { json } = await made.ask('/never', {}, ASYNC);
    expect(await recordWhen(json.task_id)).toMatchObject({ status: 'timeout', attempts: 1 });
  });
});

function bound(made: TaskMesh) {
  return { made, ask: made.ask.bind(made), queue: made.queue.bind(made), recordWhen: made.recordWhen.bind(made) };
}
