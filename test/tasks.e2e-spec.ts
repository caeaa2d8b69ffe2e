import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestMesh } from './support/mesh.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { startDroplet } from './support/droplet.js';
import { reply, type Handler } from './support/server.js';

const REPLY_KEYS = [
  ...['task_id', 'status', 'target_url', 'response_status', 'response_body', 'retry_count', 'duration_ms', 'attempts', 'error'],
  'recorded',
];
const ITEM_KEYS = [
  ...['id', 'droplet_name', 'target_url', 'method', 'status', 'response_status', 'response_body', 'retry_count', 'created_at'],
  ...['completed_at', 'duration_ms', 'error_message', 'meta', 'path', 'attempts', 'priority', 'run_at', 'error', 'callback'],
];
const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

const sorted = (value: object): string[] => Object.keys(value).sort();

describe('synchronous tasks', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;

  beforeAll(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
  });

  afterAll(() => mesh.stop());

  const record = async (id: string) => (await orchestrator.get(`/orchestrator/tasks/${id}`)).json;

  describe('the reply', () => {
    it('answers with the outcome and records it', async () => {
      const { status, json } = await orchestrator.task({ droplet_name: 'echo', path: '/health', meta: { by: 'test' } });
      expect([status, json.status, json.response_status, json.retry_count]).toEqual([200, 'success', 200, 0]);
      expect(await record(json.task_id)).toMatchObject({
        id: json.task_id,
        droplet_name: 'echo',
        meta: { by: 'test' },
        attempts: 1,
      });
    });

    it.each([
      ['a success', { droplet_name: 'echo', path: '/health' }],
      ['an error', { droplet_name: 'echo', path: '/status?code=404' }],
      ['an unreachable droplet', { droplet_name: 'gone', path: '/' }],
      ['a timeout', { droplet_name: 'echo', path: '/never', timeout_ms: 100 }],
    ])('has exactly the keys of the contract for %s', async (_title, task) => {
      const { status, headers, json } = await orchestrator.task(task);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(sorted(json)).toEqual([...REPLY_KEYS].sort());
      expect(json.recorded).toBe(true);
      expect(Number.isInteger(json.duration_ms)).toBe(true);
      expect(json.error === null || sorted(json.error)).toEqual(json.status === 'success' || ['code', 'details', 'message']);
    });

    it.each([
      ['an object', '/status?code=200', { asked: '/status?code=200' }],
      ['an array', '/array', [1, 'two', null]],
      ['a number', '/body?text=17', 17],
      ['text', '/text', 'plain words'],
      ['a JSON text', '/body?text=%22words%22', 'words'],
      ['false', '/body?text=false', false],
      ['nothing', '/empty', null],
      ['204', '/none', null],
      ['broken JSON', '/broken-json', '{"a":'],
    ])('carries %s as the droplet sent it, and so does the record', async (_title, path, body) => {
      const { json } = await orchestrator.task({ droplet_name: 'echo', path });
      expect([json.status, json.response_body]).toEqual(['success', body]);
      expect((await record(json.task_id)).response_body).toEqual(body);
    });

    it('keeps numbers as the droplet wrote them', async () => {
      const numbers = '[9007199254740993,1e400,1.0,-0]';
      const { json, text } = await orchestrator.task({ droplet_name: 'echo', path: `/body?text=${encodeURIComponent(numbers)}` });
      expect(text).toContain(`"response_body":${numbers}`);
      expect((await orchestrator.get(`/tasks/${json.task_id}`)).text).toContain(`"response_body":${numbers}`);
      expect((await orchestrator.get('/tasks?limit=1')).text).toContain(`"response_body":${numbers}`);
    });

    it('carries 30 KB whole; the record and the list keep a note', async () => {
      const large = JSON.stringify('x'.repeat(30_718));
      mesh.droplet.handler = wrap(mesh.droplet.handler, '/large', large);
      const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/large' });
      expect(json.response_body).toBe(JSON.parse(large));
      const note = { _truncated: true, _original_size_kb: 30, _max_size_kb: 10, _message: expect.any(String) };
      expect((await record(json.task_id)).response_body).toEqual(note);
      expect((await orchestrator.get('/tasks?limit=1')).json.tasks[0].response_body).toEqual(note);
    });

    it('counts failed attempts: two before the success of the third (seed: submit_task_with_retry)', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/flaky?fail=2&for=count' });
      expect([json.status, json.retry_count, json.attempts, json.error]).toEqual(['success', 2, 3, null]);
      const { history } = await record(json.task_id);
      expect(history.map((entry: any) => [entry.attempt, entry.response_status, entry.error_code])).toEqual([
        [1, 503, 'DROPLET_ERROR'],
        [2, 503, 'DROPLET_ERROR'],
        [3, 200, null],
      ]);
    });

    it('is an error that keeps status and body when every attempt was a 5xx', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/status?code=503' });
      expect(json).toMatchObject({
        status: 'error',
        response_status: 503,
        response_body: { asked: '/status?code=503' },
        retry_count: 3,
      });
      expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'unknown', stopped_by: 'attempts' } });
    });

    it.each([302, 400, 404, 429])('is an error at once for a %i', async (code) => {
      const path = code === 302 ? '/redirect?to=/health' : `/status?code=${code}`;
      const { json } = await orchestrator.task({ droplet_name: 'echo', path });
      expect(json).toMatchObject({ status: 'error', response_status: code, retry_count: 0, attempts: 1 });
      expect(json.error).toMatchObject({ code: 'DROPLET_ERROR', details: { effect: 'none', stopped_by: null } });
    });

    it('is a timeout when no attempt is answered in time (seed: submit_task_timeout)', async () => {
      const task = { droplet_name: 'echo', path: '/never', attempt_timeout_ms: 100, timeout_ms: 5000 };
      const { status, json } = await orchestrator.task(task);
      expect([status, json.status, json.response_status, json.retry_count]).toEqual([200, 'timeout', null, 3]);
      expect(json.error).toMatchObject({ code: 'TIMEOUT', details: { effect: 'unknown', stopped_by: 'attempts' } });
    });

    it('is a timeout when the deadline of the whole task passes', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/never', timeout_ms: 100 });
      expect([json.status, json.attempts, json.error.code]).toEqual(['timeout', 1, 'TIMEOUT']);
      expect(json.error.details.stopped_by).toBe('deadline');
    });

    it('is an error for a droplet that is not there, after all attempts', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'gone', path: '/' });
      expect(json).toMatchObject({ status: 'error', response_status: null, response_body: null, retry_count: 3 });
      expect(json.error).toMatchObject({ code: 'DROPLET_UNREACHABLE', details: { effect: 'none', stopped_by: 'attempts' } });
    });
  });

  describe('the droplet', () => {
    it.each(['echo', 'ECHO', 'Echo', 'eChO'])(
      'is found by name whatever its case: %s; the record has it as typed',
      async (name) => {
        const { json } = await orchestrator.task({ droplet_name: name, path: '/health' });
        expect(json.status).toBe('success');
        expect((await record(json.task_id)).droplet_name).toBe(name);
      },
    );

    it('that is unknown is 400 DROPLET_NOT_FOUND and names those that are known (seed: submit_task_droplet_not_found)', async () => {
      const { status, json } = await orchestrator.task({ droplet_name: 'nobody', path: '/' });
      expect([status, json.error.code, json.detail.error.code]).toEqual([400, 'DROPLET_NOT_FOUND', 'DROPLET_NOT_FOUND']);
      expect(json.error.message).toContain('nobody');
      expect(json.error.details.requested_droplet).toBe('nobody');
      expect(json.error.details.available_droplets).toEqual(expect.arrayContaining(['Echo', 'Gone', 'Quiet']));
    });

    it('that is unknown leaves no record and does not count', async () => {
      const before = [(await orchestrator.get('/tasks')).json.total, (await orchestrator.get('/metrics')).json.tasks];
      await orchestrator.task({ droplet_name: 'nobody', path: '/' });
      expect([(await orchestrator.get('/tasks')).json.total, (await orchestrator.get('/metrics')).json.tasks]).toEqual(before);
    });

    it('that the Registry calls inactive is called all the same', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'quiet', path: '/health' });
      expect([json.status, json.error]).toEqual(['success', null]);
    });

    it('that the Registry calls inactive is told as such when its call fails', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'quiet', path: '/status?code=404' });
      expect(json.error.details).toEqual({ effect: 'none', stopped_by: null, droplet_status: 'inactive' });
      const active = await orchestrator.task({ droplet_name: 'echo', path: '/status?code=404' });
      expect(active.json.error.details).not.toHaveProperty('droplet_status');
    });
  });

  describe('a task that asks to run later', () => {
    it.each([{ delay_ms: 0 }, { delay_ms: 3_600_000 }, { run_at: '2099-01-01T00:00:00Z' }, { run_at: '1999-01-01' }])(
      'is a receipt instead of an outcome: %j',
      async (field) => {
        const { status, headers, json } = await orchestrator.task({ droplet_name: 'echo', path: '/health', ...field });
        expect([status, sorted(json)]).toEqual([202, [...REPLY_KEYS].sort()]);
        expect(json).toMatchObject({
          status: 'queued',
          response_status: null,
          response_body: null,
          duration_ms: null,
          error: null,
        });
        expect(headers.get('location')).toBe(`/orchestrator/tasks/${json.task_id}`);
      },
    );

    it('is not called before it is due', async () => {
      const { json } = await orchestrator.task({ droplet_name: 'echo', path: '/health?later', delay_ms: 3_600_000 });
      expect((await record(json.task_id)).status).toBe('queued');
      await orchestrator.task({ droplet_name: 'echo', path: '/health?now' });
      expect([mesh.droplet.hits('/health?later'), mesh.droplet.hits('/health?now')]).toEqual([0, 1]);
    });

    it.each<[object, string]>([
      [{ delay_ms: 1, run_at: '2099-01-01T00:00:00Z' }, 'run_at'],
      [{ callback_url: 'https://example.test/' }, 'callback_url'],
      [{ delay_ms: 1, callback_url: 'https://example.test/' }, 'callback_url'],
      [{ delay_ms: 1, headers: { authorization: 'Bearer x' } }, 'headers'],
    ])('is refused: %j', async (fields, field) => {
      const { status, json } = await orchestrator.task({ droplet_name: 'echo', path: '/health?refused', ...fields });
      expect([status, json.error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(json.error.details.errors[0].field).toBe(field);
      expect(mesh.droplet.hits('/health?refused')).toBe(0);
    });
  });

  describe('GET /tasks/{id}', () => {
    it('shows every field of a success (seed: get_task_returns_details, submit_task_records_in_store)', async () => {
      const before = Date.now() / 1000;
      const task = {
        droplet_name: 'Echo',
        method: 'POST',
        path: '/echo?a=1',
        payload: { a: 1 },
        meta: { by: 'me' },
        priority: 7,
      };
      const reply200 = (await orchestrator.task(task)).json;
      const { status, json } = await orchestrator.get(`/orchestrator/tasks/${reply200.task_id}`);
      expect(status).toBe(200);
      expect(sorted(json)).toEqual([...ITEM_KEYS, 'history'].sort());
      expect(json).toMatchObject({
        ...{ id: reply200.task_id, droplet_name: 'Echo', target_url: `${mesh.droplet.url}/echo?a=1`, method: 'POST' },
        ...{ status: 'success', response_status: 200, response_body: reply200.response_body, retry_count: 0 },
        ...{ error_message: null, meta: { by: 'me' }, path: '/echo?a=1', attempts: 1, priority: 7, run_at: null, error: null },
      });
      expect(json.created_at).toBeGreaterThanOrEqual(before - 1);
      expect(json.created_at).toBeLessThanOrEqual(Date.now() / 1000 + 1);
      expect(json.completed_at).toBeGreaterThanOrEqual(json.created_at);
      expect(json.duration_ms).toBe(reply200.duration_ms);
      const [attempt] = json.history;
      expect(sorted(attempt)).toEqual(
        ['attempt', 'delay_ms', 'duration_ms', 'effect', 'endpoint', 'error_code', 'response_status', 'started_at'].sort(),
      );
      expect(attempt).toMatchObject({
        attempt: 1,
        response_status: 200,
        error_code: null,
        delay_ms: 0,
        endpoint: mesh.droplet.url,
        effect: 'none',
      });
    });

    it('shows every field of a failure, with nulls where nothing is', async () => {
      const { task_id, error } = (await orchestrator.task({ droplet_name: 'gone', path: '/x', max_attempts: 2 })).json;
      const json = await record(task_id);
      expect(sorted(json)).toEqual([...ITEM_KEYS, 'history'].sort());
      expect(json).toMatchObject({
        response_status: null,
        response_body: null,
        meta: null,
        priority: 5,
        attempts: 2,
        error,
        callback: null,
      });
      expect(json.error_message).toBe(error.message);
      expect(json.history[1]).toMatchObject({
        attempt: 2,
        response_status: null,
        error_code: 'DROPLET_UNREACHABLE',
        delay_ms: 20,
        effect: 'none',
      });
    });

    it.each([UNKNOWN_ID, 'no-such-task', '1', '__proto__', '%27%20OR%201=1', 'x'.repeat(1000)])(
      'is 404 TASK_NOT_FOUND for %s (seed: get_task_returns_404_for_nonexistent)',
      async (id) => {
        const { status, json } = await orchestrator.get(`/orchestrator/tasks/${id}`);
        expect([status, json.error.code, json.detail.error.code]).toEqual([404, 'TASK_NOT_FOUND', 'TASK_NOT_FOUND']);
      },
    );

    it('answers without the prefix and with a trailing slash too', async () => {
      const { task_id } = (await orchestrator.task({ droplet_name: 'echo', path: '/health' })).json;
      for (const path of [`/tasks/${task_id}`, `/tasks/${task_id}/`, `/orchestrator/tasks/${task_id}/`]) {
        expect((await orchestrator.get(path)).json.id).toBe(task_id);
      }
    });
  });
});

describe('GET /tasks', () => {
  let mesh: TestMesh;
  let orchestrator: TestOrchestrator;
  /** Oldest first. */
  let ids: string[];

  beforeAll(async () => {
    mesh = await TestMesh.start();
    ({ orchestrator } = mesh);
    ids = [];
    for (const task of [
      { droplet_name: 'echo', path: '/health', meta: { team: 'red', run: '1' } },
      { droplet_name: 'ECHO', path: '/status?code=404', meta: { team: 'red', run: '2' } },
      { droplet_name: 'quiet', path: '/health', meta: { team: 'blue', 'key with space': 'ü&=' } },
      { droplet_name: 'echo', path: '/never', timeout_ms: 100 },
      { droplet_name: 'gone', path: '/', max_attempts: 1 },
    ]) {
      ids.push((await orchestrator.task(task)).json.task_id);
    }
  });

  afterAll(() => mesh.stop());

  const list = (query = '') => orchestrator.get(`/orchestrator/tasks${query}`);
  const shown = async (query: string): Promise<number[]> =>
    (await list(query)).json.tasks.map(({ id }: { id: string }) => ids.indexOf(id));

  it('lists all, newest first, whole but for the history (seed: list_tasks_returns_all)', async () => {
    const { status, json } = await list();
    expect(status).toBe(200);
    expect(sorted(json)).toEqual(['limit', 'next_cursor', 'tasks', 'total', 'total_exact']);
    expect(json).toMatchObject({ total: 5, limit: 100, next_cursor: null, total_exact: true });
    expect(json.tasks.map(({ id }: { id: string }) => id)).toEqual([...ids].reverse());
    for (const item of json.tasks) expect(sorted(item)).toEqual([...ITEM_KEYS].sort());
    const first = (await orchestrator.get(`/tasks/${ids[0]}`)).json;
    delete first.history;
    expect(json.tasks[4]).toEqual(first);
  });

  it.each([
    ['1', 1],
    ['5', 5],
    ['1000', 5],
  ])('respects the limit %s (seed: list_tasks_respects_limit)', async (limit, count) => {
    const { json } = await list(`?limit=${limit}`);
    expect([json.tasks.length, json.limit, json.total]).toEqual([count, Number(limit), 5]);
  });

  it.each(['0', '-1', '1001', 'x', '1e9', '', '1.5', '5&limit=6'])('refuses the limit "%s"', async (limit) => {
    const { status, json } = await list(`?limit=${limit}`);
    expect([status, json.error.code, json.error.details.errors[0].field]).toEqual([400, 'INVALID_REQUEST', 'limit']);
  });

  it.each<[string, string, number[]]>([
    ['a status (seed: list_tasks_filters_by_status)', '?status=success', [2, 0]],
    ['another status', '?status=timeout', [3]],
    ['an unknown status', '?status=nonsense', []],
    ['a status that is built later', '?status=queued', []],
    ['no status at all', '?status=', []],
    ['a droplet, whatever its case (seed: list_tasks_filters_by_droplet_name)', '?droplet_name=eCHo', [3, 1, 0]],
    ['an unknown droplet', '?droplet_name=__proto__', []],
    ['a droplet and a status', '?droplet_name=echo&status=error', [1]],
    ['one of meta', '?meta.team=red', [1, 0]],
    ['two of meta, ANDed', '?meta.team=red&meta.run=2', [1]],
    ['two of meta that no task has both', '?meta.team=blue&meta.run=2', []],
    ['meta with signs and spaces', '?meta.key%20with%20space=%C3%BC%26%3D', [2]],
    ['meta that nobody has', '?meta.__proto__=x', []],
    ['meta and status', '?meta.team=red&status=success', [0]],
  ])('filters by %s', async (_title, query, expected) => {
    expect(await shown(query)).toEqual(expected);
    expect((await list(query)).json).toMatchObject({ total: expected.length, total_exact: true, next_cursor: null });
  });

  it.each([
    ['epoch seconds', (seconds: number) => String(seconds)],
    ['ISO 8601', (seconds: number) => new Date(Math.round(seconds * 1000)).toISOString()],
  ])('filters by time, given as %s', async (_title, write) => {
    const at = async (index: number): Promise<string> => write((await orchestrator.get(`/tasks/${ids[index]}`)).json.created_at);
    expect(await shown(`?created_after=${await at(3)}`)).toEqual([4]);
    // The fourth took 100 ms at least, so the fifth began in another millisecond.
    expect(await shown(`?created_before=${await at(4)}`)).toEqual([3, 2, 1, 0]);
    expect(await shown(`?created_before=${await at(4)}&created_after=0&status=timeout`)).toEqual([3]);
  });

  it.each([
    ...['created_after=yesterday', 'created_before=', 'created_after=-1', 'created_after=1&created_after=2'],
    ...[
      'cursor=',
      'cursor=x',
      'cursor=1',
      'cursor=f47ac10b-58cc-4372-a567-0e02b2c3d479',
      'status=a&status=b',
      'meta.a=1&meta.a=2',
    ],
  ])('refuses ?%s', async (query) => {
    const { status, json } = await list(`?${query}`);
    expect([status, json.error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(json.error.details.errors[0].field).toBe(query.split('=')[0]);
  });

  it('refuses more meta filters than it can look up', async () => {
    const filters = (count: number): string => Array.from({ length: count }, (_, index) => `meta.k${index}=v`).join('&');
    expect([(await list(`?${filters(32)}`)).status, (await list(`?${filters(33)}`)).status]).toEqual([200, 400]);
  });

  it('ignores what it does not know', async () => {
    expect((await list('?nonsense=1&__proto__=x')).json.total).toBe(5);
  });

  it('gives every task once over its pages, with the total of all', async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const { json }: { json: any } = await list(`?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(json.total).toBe(5);
      seen.push(...json.tasks.map(({ id }: { id: string }) => ids.indexOf(id)));
      cursor = json.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual([4, 3, 2, 1, 0]);
  });

  it('pages within a filter', async () => {
    const { json } = await list('?droplet_name=echo&limit=2');
    expect([json.tasks.length, json.total, json.next_cursor]).toEqual([2, 3, ids[1]]);
    expect(await shown(`?droplet_name=echo&limit=2&cursor=${json.next_cursor}`)).toEqual([0]);
  });
});

describe('what is remembered', () => {
  it('survives a restart: records, list, totals and durations', async () => {
    const mesh = await TestMesh.start();
    const { orchestrator } = mesh;
    const { task_id } = (await orchestrator.task({ droplet_name: 'echo', path: '/flaky?fail=1&for=restart', meta: { a: 'b' } }))
      .json;
    await orchestrator.task({ droplet_name: 'echo', path: '/status?code=404' });
    const pages = [`/tasks/${task_id}`, '/tasks', '/tasks?meta.a=b'];
    const look = async (from: TestOrchestrator) => {
      const { tasks, retry } = (await from.get('/metrics')).json;
      return [tasks, retry, ...(await Promise.all(pages.map(async (page) => (await from.get(page)).text)))];
    };
    const before = await look(orchestrator);
    await orchestrator.leave();
    const next = await TestOrchestrator.start({ REGISTRY_URL: mesh.registry.url }, orchestrator.home);
    expect(await look(next)).toEqual(before);
    await next.stop();
    await mesh.registry.stop();
    await mesh.droplet.stop();
  });

  it('is limited to TASK_MAX_HISTORY, the totals are not', async () => {
    const droplet = await startDroplet();
    const first = await TestOrchestrator.start();
    await first.post('/droplets', { name: 'echo', endpoint: droplet.url });
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) ids.push((await first.task({ droplet_name: 'echo', path: '/health' })).json.task_id);
    await first.leave();
    const second = await TestOrchestrator.start({ TASK_MAX_HISTORY: '2' }, first.home);
    expect((await second.get('/metrics')).json.tasks.total).toBe(4);
    const left = async (): Promise<string[]> => (await second.get('/tasks')).json.tasks.map(({ id }: { id: string }) => id);
    for (let tries = 0; tries < 100 && (await left()).length > 2; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await left()).toEqual([ids[3], ids[2]]);
    expect((await second.get(`/tasks/${ids[0]}`)).status).toBe(404);
    expect((await second.get('/metrics')).json.tasks.total).toBe(4);
    await second.stop();
    await droplet.stop();
  });
});

describe('without any droplet list', () => {
  it('a task is 400 DROPLET_NOT_FOUND (seed: submit_task_no_droplets_available)', async () => {
    const orchestrator = await TestOrchestrator.start({ REGISTRY_URL: 'http://127.0.0.1:1', REGISTRY_TIMEOUT: '0.5' });
    const { status, json } = await orchestrator.task({ droplet_name: 'echo', path: '/' });
    expect([status, json.error.code, json.error.details.available_droplets]).toEqual([400, 'DROPLET_NOT_FOUND', []]);
    await orchestrator.stop();
  });
});

/** The handler before, with one more path. */
function wrap(before: Handler, path: string, body: string): Handler {
  return (seen, response) => (seen.url === path ? reply(response, 200, body) : before(seen, response));
}
