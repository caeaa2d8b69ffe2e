import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { isFinal, JsonText, OrchestratorClient, OrchestratorError, replyOf, type TaskChange } from '../src/client/entry.js';
import { until } from './support/http.client.js';
import { bearer, KeyFile } from './support/keys.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { reply, TestServer, freePort } from './support/server.js';
import { aMoment, TaskMesh } from './support/task.mesh.js';
import { TestTcpProxy } from './support/tcp.proxy.js';

const NOBODY = '01a2087f-b6b9-760a-9e3a-019a530b8572';

/** What a call was refused with; fails when it was not. */
async function refusal(call: Promise<unknown>): Promise<OrchestratorError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OrchestratorError)) throw new Error(`no OrchestratorError, but ${String(error)}`);
  return error;
}

describe('OrchestratorClient', () => {
  let mesh: TaskMesh;
  let client: OrchestratorClient;
  const calls = (path: string): number => mesh.echo.hits(path);

  beforeAll(async () => {
    mesh = await TaskMesh.start();
    client = new OrchestratorClient({ url: mesh.orchestrator.url });
  });
  afterAll(() => mesh.stop());

  it('gives the outcome of a task, whatever the droplet said', async () => {
    const good = await client.submit({ droplet_name: 'echo', path: '/array' });
    expect([good.status, good.response_body, good.attempts]).toEqual(['success', [1, 'two', null], 1]);
    const bad = await client.submit({ droplet_name: 'echo', path: '/status?code=404' });
    expect([bad.status, bad.response_status, bad.error?.code]).toEqual(['error', 404, 'DROPLET_ERROR']);
  });

  it('throws what is refused, with code, status, details and the id of the request', async () => {
    const error = await refusal(client.submit({ droplet_name: 'nobody', path: '/' }));
    expect(error).toMatchObject({ code: 'DROPLET_NOT_FOUND', status: 400, retryAfter: null });
    expect(error.details).toEqual({ requested_droplet: 'nobody', available_droplets: expect.arrayContaining(['Echo']) });
    expect(error.requestId).toMatch(/^[\w.-]+$/);
    expect((await refusal(client.task(NOBODY))).code).toBe('TASK_NOT_FOUND');
  });

  it('says when there is nobody, or no orchestrator', async () => {
    const alone = new OrchestratorClient({ url: `http://127.0.0.1:${await freePort()}`, repeats: 0 });
    expect(await refusal(alone.health())).toMatchObject({ code: 'UNREACHABLE', status: null, mayHaveArrived: false });
    const proxy = await TestServer.start((_seen, response) => reply(response, 502, '<html>', { 'retry-after': '7' }));
    expect(await refusal(new OrchestratorClient({ url: proxy.url }).health())).toMatchObject({
      ...{ code: 'UNEXPECTED_REPLY', status: 502, retryAfter: 7 },
    });
    await proxy.stop();
  });

  it('follows no redirect with its key', async () => {
    const thief = await TestServer.start((_seen, response) => reply(response, 200, {}));
    const proxy = await TestServer.start((_seen, response) => reply(response, 307, {}, { location: thief.url }));
    expect((await refusal(new OrchestratorClient({ url: proxy.url, key: 'secret' }).health())).code).toBe('UNREACHABLE');
    expect(thief.hits()).toBe(0);
    await Promise.all([thief.stop(), proxy.stop()]);
  });

  it.each(['ftp://host', 'localhost:8001', 'http://user:pass@host', 'http://host/?a=b', ''])('refuses the URL %j', (url) => {
    expect(() => new OrchestratorClient({ url })).toThrow(TypeError);
  });

  it.each(['', '.', '..'])('lets the id %j lead to no other route', async (id) => {
    await expect(client.task(id)).rejects.toThrow(TypeError);
    await expect(client.droplet(id)).rejects.toThrow(TypeError);
  });

  it('ends when it is told to, with the reason it was given', async () => {
    const stop = new AbortController();
    const call = client.submit({ droplet_name: 'echo', path: '/never?abort' }, { signal: stop.signal });
    await until(() => calls('/never?abort') > 0);
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(client.health({ signal: stop.signal })).rejects.toThrow('enough');
  });

  it('ends by its own limit', async () => {
    const error = await refusal(client.submit({ droplet_name: 'echo', path: '/never' }, { timeoutMs: 100 }));
    expect([error.code, error.status]).toEqual(['TIMED_OUT', null]);
  });

  it('keeps the limit of the client where a call says undefined', async () => {
    const held = await TestServer.start(() => undefined);
    const deaf = new OrchestratorClient({ url: held.url, timeoutMs: 100 });
    expect((await refusal(deaf.health({ timeoutMs: undefined }))).code).toBe('TIMED_OUT');
    await held.stop();
  });

  it('lets many calls share a signal without a warning', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error): number => warnings.push(warning);
    process.on('warning', hear);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, () => client.health({ signal })));
    await aMoment();
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });

  it('hands a task over, and waits for it when asked to', async () => {
    const receipt = await client.enqueue({ droplet_name: 'echo', path: '/health', delay_ms: 3_600_000 });
    expect(receipt.status).toBe('queued');
    const done = await client.enqueue({ droplet_name: 'echo', path: '/flaky?fail=2&enqueue' }, { waitMs: Infinity });
    expect([done.status, done.attempts]).toEqual(['success', 3]);
    const late = await client.enqueue({ droplet_name: 'echo', path: '/health', delay_ms: 3_600_000 }, { waitMs: 100 });
    expect(late.status).toBe('queued');
    expect((await client.wait(late.task_id, { waitMs: 10 })).status).toBe('queued');
    const other = await client.enqueue({ droplet_name: 'echo', path: '/slow?ms=40' });
    expect((await client.wait(other.task_id)).status).toBe('success');
  });

  it('does once what is asked twice with a key', async () => {
    const task = { droplet_name: 'echo', method: 'POST', path: '/echo?twice', payload: { a: 1 } } as const;
    const [first, second] = [
      await client.submit(task, { idempotencyKey: 'mine' }),
      await client.submit(task, { idempotencyKey: 'mine' }),
    ];
    expect([second.task_id, calls('/echo?twice')]).toEqual([first.task_id, 1]);
    expect(replyOf(second)?.headers.get('idempotency-replayed')).toBe('true');
    const error = await refusal(client.submit({ ...task, payload: { a: 2 } }, { idempotencyKey: 'mine' }));
    expect([error.code, error.status]).toEqual(['IDEMPOTENCY_MISMATCH', 422]);
  });

  it('sends JSON text as it is written, and gives the text of an answer', async () => {
    const payload = new JsonText('{"n":9007199254740993,"one":1.0}');
    const result = await client.submit({ droplet_name: 'echo', method: 'POST', path: '/echo?text', payload });
    expect(mesh.echo.seen.find(({ url }) => url === '/echo?text')?.body).toBe(payload.text);
    const number = await client.submit({ droplet_name: 'echo', path: '/body?text=9007199254740993' });
    expect(replyOf(number)?.text).toContain('"response_body":9007199254740993');
    expect(replyOf(result)?.status).toBe(200);
    expect(() => new JsonText('{')).toThrow(SyntaxError);
  });

  it('hands over a batch, each with its own answer', async () => {
    const { results, accepted, rejected } = await client.batch([
      { droplet_name: 'echo', path: '/health' },
      { droplet_name: 'nobody', path: '/' },
      new JsonText('{"droplet_name":"echo","method":"POST","path":"/echo?batch","payload":9007199254740993}'),
    ]);
    expect([accepted, rejected]).toEqual([2, 1]);
    expect(results.map((result) => ('error' in result ? result.error.code : 'accepted'))).toEqual([
      ...['accepted', 'DROPLET_NOT_FOUND', 'accepted'],
    ]);
    await until(() => calls('/echo?batch') === 1);
    expect(mesh.echo.seen.find(({ url }) => url === '/echo?batch')?.body).toBe('9007199254740993');
  });

  it('reads every page, and only what fits', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index++)
      made.unshift(
        (await client.submit({ droplet_name: 'echo', path: '/health', meta: { run: 'pages & more', index: `${index}` } }))
          .task_id,
      );
    const found: string[] = [];
    for await (const task of client.tasks({ meta: { run: 'pages & more' }, limit: 2, dropletName: 'ECHO' })) found.push(task.id);
    expect(found).toEqual(made);
    const page = await client.taskPage({
      meta: { run: 'pages & more', index: '3' },
      status: 'success',
      createdAfter: new Date(0),
    });
    expect([page.total, page.tasks[0]?.id]).toEqual([1, made[1]]);
    expect((await client.taskPage({ meta: { run: 'pages & more' }, createdBefore: 1 })).total).toBe(0);
  });

  it('cancels and retries, one or many', async () => {
    const { task_id } = await client.enqueue({ droplet_name: 'echo', path: '/health', delay_ms: 3_600_000 });
    expect((await client.cancel(task_id)).status).toBe('cancelled');
    expect((await refusal(client.cancel(task_id))).code).toBe('CONFLICT');
    expect((await client.retry(task_id)).status).toBe('queued');
    expect((await client.wait(task_id)).status).toBe('success');
    await client.submit({ droplet_name: 'other', path: '/status?code=404' });
    expect(await client.retryMany({ droplet_name: 'other', status: 'error' })).toEqual({ scheduled: 1 });
  });

  it('holds a droplet and lets it go', async () => {
    expect((await client.pause('other')).droplet.health.breaker).toBe('paused');
    const error = await refusal(client.submit({ droplet_name: 'other', path: '/health' }));
    expect([error.code, error.status, error.retryAfter !== null]).toEqual(['CIRCUIT_OPEN', 503, true]);
    expect((await client.resume('other')).droplet.health.breaker).toBe('closed');
    expect((await client.breaker(4, 'open')).droplet.health.breaker).toBe('open');
    expect((await client.breaker('other', 'auto')).droplet.name).toBe('Other');
    expect((await client.droplets()).droplets.map(({ name }) => name)).toEqual(expect.arrayContaining(['Echo', 'Other']));
  });

  it('tells how the orchestrator is', async () => {
    expect((await client.health()).service).toBe('orchestrator');
    expect((await client.metrics()).tasks.total).toBeGreaterThan(0);
  });
});

describe('a client whose connections are lost', () => {
  let mesh: TaskMesh;
  let proxy: TestTcpProxy;
  let client: OrchestratorClient;
  const following: AbortController[] = [];

  beforeAll(async () => {
    mesh = await TaskMesh.start();
    proxy = await TestTcpProxy.start(Number(new URL(mesh.orchestrator.url).port));
    client = new OrchestratorClient({ url: `http://127.0.0.1:${proxy.port}` });
  });
  afterEach(() => {
    for (const each of following) each.abort();
    proxy.onClientData(() => 'forward');
  });
  afterAll(async () => {
    await proxy.stop();
    await mesh.stop();
  });

  /** From now on the answer to the first request that says a text is lost. @returns how many such requests came */
  function loseAnswerTo(text: string): () => number {
    let count = 0;
    proxy.onClientData((chunk) => {
      if (!chunk.includes(text)) return 'forward';
      count++;
      return count === 1 ? 'forward and cut' : 'forward';
    });
    return () => count;
  }

  it('sends a task with a key again, and its droplet is called once', async () => {
    const sent = loseAnswerTo('/echo?lost');
    const task = { droplet_name: 'echo', method: 'POST', path: '/echo?lost' } as const;
    const result = await client.enqueue(task, { idempotencyKey: true, waitMs: 10_000 });
    expect([result.status, sent(), mesh.echo.hits('/echo?lost')]).toEqual(['success', 2, 1]);
  });

  it('asks again while the first request still runs', async () => {
    const gate = mesh.hold();
    const sent = loseAnswerTo('"/held"');
    const call = client.enqueue({ droplet_name: 'echo', path: '/held' }, { idempotencyKey: 'held', waitMs: 10_000 });
    await until(() => sent() === 2 && gate.held.length === 1);
    gate.open();
    expect([(await call).status, mesh.echo.hits('/held')]).toEqual(['success', 1]);
  });

  it('sends no task without a key again, for nobody knows whether it arrived', async () => {
    const sent = loseAnswerTo('/echo?once');
    const error = await refusal(client.submit({ droplet_name: 'echo', path: '/echo?once' }));
    expect(error).toMatchObject({ code: 'UNREACHABLE', mayHaveArrived: true });
    expect(sent()).toBe(1);
  });

  it('asks again for what only reads, so often and no more', async () => {
    let count = 0;
    proxy.onClientData((chunk) => (chunk.includes('/health') && ++count > 0 ? 'cut' : 'forward'));
    expect((await refusal(client.health())).code).toBe('UNREACHABLE');
    expect(count).toBe(3);
  });

  /** Follows the changes of one path. */
  function follow(path: string, options: object = {}): { changes: TaskChange[]; opened: () => number; ended: Promise<unknown> } {
    const stop = new AbortController();
    following.push(stop);
    const changes: TaskChange[] = [];
    let count = 0;
    const read = async (): Promise<void> => {
      const onOpen = (): number => count++;
      for await (const change of client.events({}, { signal: stop.signal, onOpen: () => void onOpen(), ...options }))
        if (change.task.path === path) changes.push(change);
    };
    return { changes, opened: () => count, ended: read().catch((error: unknown) => error) };
  }
  const finals = (changes: readonly TaskChange[]): string[] =>
    changes.filter(({ task }) => isFinal(task.status)).map(({ task }) => task.id);

  it('goes on with events where it stood, and misses none', async () => {
    const { changes, opened } = follow('/health');
    await until(() => opened() === 1);
    const first = await mesh.queue('/health');
    await until(() => finals(changes).includes(first));
    proxy.refuse();
    proxy.cut();
    const missed = await mesh.queue('/health');
    await mesh.recordWhen(missed);
    await proxy.accept();
    await until(() => opened() === 2);
    const last = await mesh.queue('/health');
    await until(() => finals(changes).includes(last));
    expect(finals(changes)).toEqual([first, missed, last]);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length);
  });

  it('begins after the last event that the caller has', async () => {
    const { changes, opened } = follow('/health?from');
    await until(() => opened() === 1);
    const id = await mesh.queue('/health?from');
    await until(() => finals(changes).includes(id));
    const again = follow('/health?from', { lastEventId: changes[0]?.id });
    await until(() => finals(again.changes).includes(id));
    expect(again.changes.map((change) => change.id)).toEqual(changes.slice(1).map((change) => change.id));
  });

  it('throws when there is no stream at first, and ends with the reason of the signal', async () => {
    proxy.refuse();
    expect(await follow('/x').ended).toMatchObject({ code: 'UNREACHABLE' });
    await proxy.accept();
    const { ended, opened } = follow('/x');
    await until(() => opened() === 1);
    following.at(-1)?.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
  });
});

it('throws for what answers events with something else, instead of listening for ever', async () => {
  const server = await TestServer.start((_seen, response) => reply(response, 200, { hello: 'there' }));
  const asked = new OrchestratorClient({ url: server.url }).events().next();
  await expect(asked).rejects.toMatchObject({ code: 'UNEXPECTED_REPLY', status: 200 });
  await server.stop();
});

describe('a client that takes its time over a change', () => {
  it('keeps its stream', async () => {
    const streams: ServerResponse[] = [];
    const write = (id: number): unknown => streams[0]?.write(`id: ${id}\nevent: task\ndata: {"id":"t"}\n\n`);
    const server = await TestServer.start((_seen, response) => {
      streams.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(1);
    });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    try {
      const changes = new OrchestratorClient({ url: server.url }).events();
      expect((await changes.next()).value).toMatchObject({ id: '1' });
      jest.advanceTimersByTime(60_000);
      write(2);
      expect((await changes.next()).value).toMatchObject({ id: '2' });
      expect(server.hits()).toBe(1);
      await changes.return(undefined);
    } finally {
      jest.useRealTimers();
      await server.stop();
    }
  });
});

describe('a client of an orchestrator that asks for keys', () => {
  const keys = new KeyFile([{ key: 'right', name: 'me', scopes: ['tasks:read'] }]);
  let server: TestOrchestrator;
  const as = (key?: string): OrchestratorClient => new OrchestratorClient({ url: server.url, ...(key ? { key } : {}) });

  beforeAll(async () => {
    server = await TestOrchestrator.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: keys.path });
  });
  afterAll(() => server.stop());

  it('sends its key, and says what is wrong with it', async () => {
    expect((await server.get('/orchestrator/tasks', bearer('right'))).status).toBe(200);
    expect((await as('right').taskPage()).total).toBe(0);
    expect(await refusal(as().taskPage())).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
    expect(await refusal(as('right').droplets())).toMatchObject({ code: 'FORBIDDEN', status: 403 });
    expect(await refusal(as('wrong').events().next())).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
    expect(() => as('two words')).toThrow(TypeError);
  });
});
