import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from './support/http.client.js';
import type { Handler } from './support/server.js';
import { reply } from './support/server.js';
import { aMoment, ASYNC, type Gate, TaskMesh } from './support/task.mesh.js';
import { expectError } from './support/udc.error.js';

const WEEK_MS = 604_800_000;

describe('asynchronous tasks', () => {
  let mesh: TaskMesh;
  let paths: Handler;

  beforeAll(async () => {
    mesh = await TaskMesh.start({ DROPLET_MAX_IN_FLIGHT: '4' });
    paths = mesh.echo.handler;
  });
  beforeEach(() => {
    mesh.echo.seen.length = 0;
    mesh.echo.handler = paths;
  });
  afterAll(() => mesh.stop());

  const hold = (): Gate => mesh.hold();
  const stored = async (): Promise<number> => (await mesh.list('?limit=1')).total;
  const refusedField = ({ json }: { json: any }): string => json.error.details.errors[0].field;

  describe('Prefer: respond-async', () => {
    it('gives a receipt at once with the keys of a result, and what came of it under its Location', async () => {
      const gate = hold();
      const { status, headers, json } = await mesh.ask('/work', { meta: { order: '7' } }, ASYNC);
      expect(status).toBe(202);
      expect(json).toEqual({
        ...{ task_id: expect.any(String), status: 'queued', target_url: `${mesh.echo.url}/work`, response_status: null },
        ...{ response_body: null, retry_count: 0, duration_ms: null, attempts: 0, error: null, recorded: true },
      });
      expect(headers.get('location')).toBe(`/orchestrator/tasks/${json.task_id}`);
      expect(headers.get('preference-applied')).toBe('respond-async');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      await until(() => gate.held.length === 1);
      const running = await mesh.orchestrator.get(headers.get('location') ?? '');
      expect(running.json).toMatchObject({ id: json.task_id, status: 'running', completed_at: null, duration_ms: null });
      gate.open();
      const record = await mesh.recordWhen(json.task_id);
      expect(record).toMatchObject({ status: 'success', response_status: 200, response_body: { let: 'through' }, attempts: 1 });
    });

    it('has a receipt with the very keys of a synchronous result', async () => {
      const [receipt, result] = await Promise.all([mesh.ask('/echo', {}, ASYNC), mesh.ask('/echo')]);
      expect(Object.keys(receipt.json).sort()).toEqual(Object.keys(result.json).sort());
    });

    it('records what a synchronous task never had: run_at, priority, callback, and the effect of each attempt', async () => {
      const before = Date.now();
      const id = await mesh.queue('/flaky?fail=1&own=history', { priority: 8, meta: { a: 'b' } });
      const record = await mesh.recordWhen(id);
      expect(record).toEqual({
        ...{ id, droplet_name: 'echo', target_url: `${mesh.echo.url}/flaky?fail=1&own=history`, method: 'GET' },
        ...{ path: '/flaky?fail=1&own=history', status: 'success', response_status: 200, response_body: { calls: 2 } },
        ...{ retry_count: 1, attempts: 2, created_at: expect.any(Number), completed_at: expect.any(Number) },
        ...{ duration_ms: expect.any(Number), error_message: null, error: null, meta: { a: 'b' }, priority: 8 },
        ...{ run_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), callback: null, history: expect.any(Array) },
      });
      expect(Date.parse(record.run_at)).toBeGreaterThanOrEqual(before);
      const entry = { started_at: expect.any(Number), duration_ms: expect.any(Number), endpoint: mesh.echo.url };
      expect(record.history).toEqual([
        { ...entry, attempt: 1, response_status: 503, error_code: 'DROPLET_ERROR', delay_ms: 0, effect: 'unknown' },
        { ...entry, attempt: 2, response_status: 200, error_code: null, delay_ms: 20, effect: 'none' },
      ]);
    });

    it('sends the headers of contract §6 on every attempt, with the number of each', async () => {
      const more = { method: 'POST', payload: { n: 1 }, headers: { 'X-Own': 'mine' }, timeout_ms: 5000 };
      const id = await mesh.queue('/flaky?fail=2&own=headers', more, { 'x-request-id': 'req-1' });
      await mesh.recordWhen(id);
      expect(mesh.echo.seen.map(({ headers }) => headers['x-task-attempt'])).toEqual(['1', '2', '3']);
      for (const { headers, body } of mesh.echo.seen) {
        expect(headers).toMatchObject({ 'x-task-id': id, 'idempotency-key': id, 'x-request-id': 'req-1', 'x-own': 'mine' });
        expect(headers.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[01]$/);
        expect(body).toBe('{"n":1}');
      }
      const [first, , third] = mesh.echo.seen.map(({ headers }) => Number(headers['x-task-deadline-ms']));
      expect(first).toBeLessThanOrEqual(5000);
      expect(third).toBeLessThan(first ?? 0);
    });

    it('takes the word in any case, among others that it does not know', async () => {
      const { status, headers } = await mesh.ask('/echo', {}, { prefer: 'handling=lenient, Respond-Async' });
      expect([status, headers.get('preference-applied')]).toEqual([202, 'respond-async']);
    });
  });

  describe('Prefer: wait=N', () => {
    it('gives the 200 when the task ends in time', async () => {
      const { status, headers, json } = await mesh.ask('/slow?ms=100', {}, { prefer: 'wait=30' });
      expect([status, headers.get('preference-applied'), headers.get('location')]).toEqual([200, 'wait=30', null]);
      expect(json).toMatchObject({ status: 'success', response_status: 200, response_body: { slow: true }, attempts: 1 });
      expect(await mesh.record(json.task_id)).toMatchObject({ status: 'success' });
    });

    it('gives the 200 of a failure too', async () => {
      const { status, json } = await mesh.ask('/status?code=404', {}, { prefer: 'wait=30' });
      expect(status).toBe(200);
      expect(json).toMatchObject({ status: 'error', response_status: 404, error: { code: 'DROPLET_ERROR' } });
    });

    it('gives the 202 when it does not, and the task goes on', async () => {
      const gate = hold();
      const { status, headers, json } = await mesh.ask('/work', {}, { prefer: 'wait=1' });
      expect([status, headers.get('preference-applied')]).toEqual([202, 'wait=1']);
      expect(headers.get('location')).toBe(`/orchestrator/tasks/${json.task_id}`);
      expect(json).toMatchObject({ status: 'running', response_status: null, attempts: 0 });
      gate.open();
      expect(await mesh.recordWhen(json.task_id)).toMatchObject({ status: 'success', attempts: 1 });
    });

    it.each([
      ['wait=0', 202, 'wait=0'],
      ['wait=60', 200, 'wait=60'],
      ['wait=3600', 200, 'wait=60'],
      ['respond-async, wait=20', 200, 'respond-async, wait=20'],
    ])('"%s" is answered %d and says "%s"', async (prefer, code, applied) => {
      const { status, headers } = await mesh.ask('/echo', {}, { prefer });
      expect([status, headers.get('preference-applied')]).toEqual([code, applied]);
    });

    it.each(['wait', 'wait=', 'wait=soon', 'wait=-1', 'wait=1.5', 'respond-asynchronously', 'return=minimal', ',,;=', ''])(
      '"%s" asks for nothing that we know: the task is synchronous',
      async (prefer) => {
        const { status, headers, json } = await mesh.ask('/echo', {}, { prefer });
        expect([status, headers.get('preference-applied'), json.status]).toEqual([200, null, 'success']);
      },
    );
  });

  describe('delay_ms and run_at', () => {
    it('a delay makes a task asynchronous, and it is not sent before', async () => {
      const { status, headers, json } = await mesh.ask('/echo', { delay_ms: 300 });
      expect([status, headers.get('preference-applied')]).toEqual([202, null]);
      const { created_at, run_at } = await mesh.record(json.task_id);
      expect(Math.abs(Date.parse(run_at) - created_at * 1000 - 300)).toBeLessThan(200);
      const record = await mesh.recordWhen(json.task_id);
      expect(record.history[0].started_at * 1000).toBeGreaterThanOrEqual(Date.parse(run_at) - 2);
      expect(mesh.echo.hits()).toBe(1);
    });

    it('run_at in the past means now', async () => {
      const before = Date.now();
      const { status, json } = await mesh.ask('/echo', { run_at: '1999-12-31T23:59:59Z' });
      expect(status).toBe(202);
      const record = await mesh.recordWhen(json.task_id);
      expect(record.status).toBe('success');
      expect(Date.parse(record.run_at)).toBeGreaterThanOrEqual(before);
    });

    it('run_at a second ahead is kept to', async () => {
      const run_at = new Date(Date.now() + 400).toISOString();
      const { json } = await mesh.ask('/echo', { run_at });
      const record = await mesh.recordWhen(json.task_id);
      expect(record.run_at).toBe(run_at);
      expect(record.history[0].started_at * 1000).toBeGreaterThanOrEqual(Date.parse(run_at) - 2);
    });

    it.each([
      ['in 30 days, more than a timer holds', { delay_ms: 30 * 86_400_000 }],
      ['in 40 years', { run_at: '2066-01-01T00:00:00Z' }],
      ['in the last year that a date can name', { run_at: '9999-12-31T23:59:59.999Z' }],
      ['in a hundred years', { delay_ms: 3_155_760_000_000 }],
    ])('a task %s waits, and no timer runs wild', async (_when, more) => {
      const warnings: string[] = [];
      const note = ({ name }: Error): void => void warnings.push(name);
      process.on('warning', note);
      const { status, json } = await mesh.ask('/echo', more);
      await aMoment();
      process.off('warning', note);
      expect(status).toBe(202);
      expect(await mesh.record(json.task_id)).toMatchObject({ status: 'queued', attempts: 0, completed_at: null });
      expect([mesh.echo.hits(), warnings]).toEqual([0, []]);
    });

    it.each([
      ['2066-03-04T05:06:07', '2066-03-04T05:06:07.000Z'],
      ['2066-03-04T05:06', '2066-03-04T05:06:00.000Z'],
      ['2066-03-04', '2066-03-04T00:00:00.000Z'],
      ['2066-03-04T05:06:07+02:00', '2066-03-04T03:06:07.000Z'],
      ['2066-03-04T05:06:07.125Z', '2066-03-04T05:06:07.125Z'],
    ])('%s is %s: what has no zone is UTC', async (run_at, shown) => {
      const { json } = await mesh.ask('/echo', { run_at });
      expect((await mesh.record(json.task_id)).run_at).toBe(shown);
    });
  });

  describe('what is refused is named and leaves nothing behind', () => {
    it.each<[string, object]>([
      ['run_at', { run_at: 'tomorrow' }],
      ['run_at', { run_at: 1_900_000_000 }],
      ['run_at', { run_at: '1900000000' }],
      ['run_at', { run_at: '2066-13-01T00:00:00Z' }],
      ['run_at', { run_at: '2066-02-30T00:00:00Z' }],
      ['run_at', { run_at: '' }],
      ['run_at', { run_at: '2066-01-01T00:00:00Z', delay_ms: 5 }],
      ['delay_ms', { delay_ms: -1 }],
      ['delay_ms', { delay_ms: 1.5 }],
      ['delay_ms', { delay_ms: '5' }],
      ['delay_ms', { delay_ms: 1e300 }],
      ['priority', { delay_ms: 0, priority: 10 }],
      ['priority', { delay_ms: 0, priority: -1 }],
      ['priority', { delay_ms: 0, priority: 4.5 }],
      ['timeout_ms', { delay_ms: 0, timeout_ms: WEEK_MS + 1 }],
      ['timeout_ms', { delay_ms: 0, timeout_ms: 99 }],
      ['timeout_ms', { timeout_ms: 600_001 }],
      ['headers', { delay_ms: 0, headers: { Authorization: 'Bearer x' } }],
      ['headers', { run_at: '2066-01-01', headers: { AUTHORIZATION: 'Bearer x' } }],
      ['callback_url', { delay_ms: 0, callback_url: 'https://example.com/hook' }],
      ['path', { delay_ms: 0, path: '/a/../b' }],
    ])('%s in %j', async (field, more) => {
      const before = await stored();
      const answer = await mesh.ask('/echo', more);
      expectError(answer, 400, 'INVALID_REQUEST');
      expect(refusedField(answer)).toBe(field);
      expect(answer.text).not.toContain('Bearer');
      expect([await stored(), mesh.echo.hits()]).toEqual([before, 0]);
    });

    it.each(['respond-async', 'wait=5'])('Authorization with Prefer: %s', async (prefer) => {
      const before = await stored();
      const answer = await mesh.ask('/echo', { headers: { authorization: 'Bearer x' } }, { prefer });
      expectError(answer, 400, 'INVALID_REQUEST');
      expect([refusedField(answer), await stored(), mesh.echo.hits()]).toEqual(['headers', before, 0]);
    });

    it('a droplet that nobody knows', async () => {
      const before = await stored();
      const answer = await mesh.orchestrator.task({ droplet_name: 'nobody', path: '/' }, ASYNC);
      const { error } = expectError(answer, 400, 'DROPLET_NOT_FOUND');
      expect(error.details).toMatchObject({ requested_droplet: 'nobody', available_droplets: expect.arrayContaining(['Echo']) });
      expect(await stored()).toBe(before);
    });
  });

  describe('limits', () => {
    it.each([
      ['an asynchronous task may take a week', { timeout_ms: WEEK_MS }, ASYNC, 202],
      ['a delayed one too', { timeout_ms: WEEK_MS, delay_ms: 0 }, {}, 202],
      ['a synchronous one ten minutes', { timeout_ms: 600_000 }, {}, 200],
    ])('%s', async (_what, more, headers, code) => {
      expect((await mesh.ask('/echo', more, headers as Record<string, string>)).status).toBe(code);
    });

    it('15 attempts are made unless the task says otherwise', async () => {
      const record = await mesh.recordWhen(await mesh.queue('/status?code=503'));
      expect(record).toMatchObject({ status: 'error', response_status: 503, attempts: 15, retry_count: 15 });
      expect(record.error).toMatchObject({ code: 'DROPLET_ERROR', details: { stopped_by: 'attempts', effect: 'unknown' } });
      expect(record.history.map(({ delay_ms }: any) => delay_ms).slice(0, 4)).toEqual([0, 20, 40, 40]);
    });

    it('max_attempts, attempt_timeout_ms and retry_unsafe hold', async () => {
      const two = { max_attempts: 2, attempt_timeout_ms: 100 };
      expect(await mesh.recordWhen(await mesh.queue('/never', two))).toMatchObject({
        ...{ status: 'timeout', response_status: null, attempts: 2, retry_count: 2 },
        error: { code: 'TIMEOUT', details: { stopped_by: 'attempts', effect: 'unknown' } },
      });
      const once = { method: 'POST', retry_unsafe: false };
      expect(await mesh.recordWhen(await mesh.queue('/status?code=503', once))).toMatchObject({ status: 'error', attempts: 1 });
    });

    it('a 4xx is not repeated', async () => {
      expect(await mesh.recordWhen(await mesh.queue('/status?code=422'))).toMatchObject({ status: 'error', attempts: 1 });
      expect(mesh.echo.hits()).toBe(1);
    });

    it('timeout_ms ends a task between its attempts: the last outcome stands', async () => {
      mesh.echo.handler = (_seen, response) => reply(response, 503, { busy: 1 }, { 'retry-after': '30' });
      expect(await mesh.recordWhen(await mesh.queue('/busy', { timeout_ms: 2000 }))).toMatchObject({
        ...{ status: 'error', response_status: 503, attempts: 1, response_body: { busy: 1 } },
        error: { code: 'DROPLET_ERROR', details: { stopped_by: 'deadline' } },
      });
    });
  });

  describe('what is kept of an answer', () => {
    const answerOf = (kib: number): void => {
      mesh.echo.handler = (_seen, response) => reply(response, 200, { text: 'x'.repeat(kib * 1024) });
    };
    const listed = async (id: string): Promise<any> => (await mesh.list('?limit=50')).tasks.find((task: any) => task.id === id);

    it('200 KiB are served whole by id and by wait; a list shows that they are there', async () => {
      answerOf(200);
      const { status, json } = await mesh.ask('/big', {}, { prefer: 'wait=30' });
      expect([status, json.response_body.text?.length]).toEqual([200, 200 * 1024]);
      expect((await mesh.record(json.task_id)).response_body.text).toHaveLength(200 * 1024);
      const { response_body } = await listed(json.task_id);
      expect(response_body).toMatchObject({ _truncated: true, _max_size_kb: 10, _original_size_kb: 200.01 });
    });

    it('more than STORED_RESPONSE_LIMIT (256 KiB) is cut', async () => {
      answerOf(300);
      const record = await mesh.recordWhen(await mesh.queue('/big'));
      expect(record).toMatchObject({ status: 'success', response_status: 200 });
      expect(record.response_body).toMatchObject({ _truncated: true, _original_size_kb: 300.01, _message: expect.any(String) });
      expect((await listed(record.id)).response_body).toMatchObject({ _truncated: true, _original_size_kb: 300.01 });
    });

    it('a synchronous task still keeps 10 KiB', async () => {
      answerOf(20);
      const { json } = await mesh.ask('/big');
      expect(json.response_body.text).toHaveLength(20 * 1024);
      expect((await mesh.record(json.task_id)).response_body).toMatchObject({ _truncated: true, _max_size_kb: 10 });
    });

    it('numbers that JavaScript cannot keep pass both ways', async () => {
      mesh.echo.handler = ({ body }, response) => reply(response, 200, `{"got":${body}}`);
      const body = '{"droplet_name":"echo","method":"POST","path":"/n","delay_ms":0,"payload":{"n":9007199254740993,"d":1.0}}';
      const { json } = await mesh.orchestrator.task(body);
      await mesh.recordWhen(json.task_id);
      const { text } = await mesh.orchestrator.get(`/orchestrator/tasks/${json.task_id}`);
      expect(text).toContain('"response_body":{"got":{"n":9007199254740993,"d":1.0}}');
    });
  });

  describe('the figures', () => {
    it('count an asynchronous task once, at its end', async () => {
      const tasks = async (): Promise<any> => (await mesh.orchestrator.get('/orchestrator/metrics')).json.tasks;
      const before = await tasks();
      const gate = hold();
      const id = await mesh.queue('/work');
      await until(() => gate.held.length === 1);
      expect((await tasks()).total).toBe(before.total);
      gate.open();
      await mesh.recordWhen(id);
      const after = await tasks();
      expect([after.total - before.total, after.success - before.success]).toEqual([1, 1]);
    });
  });
});

describe('messages', () => {
  let mesh: TaskMesh;

  beforeAll(async () => {
    mesh = await TaskMesh.start();
  });
  afterAll(() => mesh.stop());

  const command = async (payload: object): Promise<any> => {
    const message = { trace_id: 't1', source: 7, target: 'orchestrator', message_type: 'command', payload };
    const { status, json } = await mesh.orchestrator.post('/orchestrator/message', message);
    expect(status).toBe(200);
    expect(json).toMatchObject({ received: true, trace_id: 't1', processed_at: expect.any(String) });
    return json;
  };

  it('create_task runs a task asynchronously and says where it stands', async () => {
    const task_data = { droplet_name: 'echo', path: '/echo', method: 'POST', payload: { a: 1 }, meta: { by: 'message' } };
    const { result, data } = await command({ command: 'create_task', task_data });
    expect([result, data.status]).toEqual(['queued', 'queued']);
    const record = await mesh.recordWhen(data.task_id);
    expect(record).toMatchObject({ status: 'success', meta: { by: 'message' }, response_body: { body: '{"a":1}' } });
    expect(record.run_at).not.toBeNull();
  });

  it('cancel_task takes a queued one back', async () => {
    const task_data = { droplet_name: 'echo', path: '/later', delay_ms: 60_000 };
    const { data } = await command({ command: 'create_task', task_data });
    const cancelled = await command({ command: 'cancel_task', task_id: data.task_id });
    expect([cancelled.result, cancelled.data.status]).toEqual(['success', 'cancelled']);
    expect((await mesh.record(data.task_id)).status).toBe('cancelled');
    const again = await command({ command: 'cancel_task', task_id: data.task_id });
    expect([again.result, again.data.code]).toEqual(['error', 'CONFLICT']);
  });

  it.each<[string, object, string]>([
    ['no task_data', { command: 'create_task' }, 'INVALID_REQUEST'],
    ['an unknown droplet', { command: 'create_task', task_data: { droplet_name: 'nobody', path: '/' } }, 'DROPLET_NOT_FOUND'],
    [
      'credentials',
      { command: 'create_task', task_data: { droplet_name: 'echo', path: '/', headers: { Authorization: 'x' } } },
      'INVALID_REQUEST',
    ],
    ['an unknown task', { command: 'cancel_task', task_id: 'none' }, 'TASK_NOT_FOUND'],
    ['no task', { command: 'cancel_task' }, 'TASK_NOT_FOUND'],
  ])('%s is result error', async (_what, payload, code) => {
    const before = (await mesh.list('?limit=1')).total;
    const { result, data } = await command(payload);
    expect([result, data.code]).toEqual(['error', code]);
    expect((await mesh.list('?limit=1')).total).toBe(before);
  });
});
