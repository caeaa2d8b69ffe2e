import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import { TestCollector, type CollectedSpan } from './support/collector.js';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { OrchestratorProcess } from './support/process.js';
import { entry, TestRegistry } from './support/registry.js';
import { type TestServer } from './support/server.js';
import { aMoment } from './support/task.mesh.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${SPAN}-01` };

const BRISK = {
  ...{ RETRY_BACKOFF_BASE_MS: '20', RETRY_BACKOFF_MAX_MS: '40', RETRY_JITTER: 'none', LOG_LEVEL: 'debug' },
  ...{ ASYNC_BACKOFF_BASE_MS: '20', ASYNC_BACKOFF_MAX_MS: '40', SHUTDOWN_GRACE: '5' },
};

let droplet: TestServer;
let registry: TestRegistry;
let collector: TestCollector;
let server: OrchestratorProcess;

const spanIdOf = (traceparent: unknown): string => String(traceparent).split('-')[2] ?? '';
const logged = (): any[] => server.lines.map((line) => JSON.parse(line));
const run = (path: string, headers: Record<string, string> = {}, more: object = {}) =>
  server.task({ droplet_name: 'echo', path, ...more }, headers);

async function start(settings: Record<string, string> = {}): Promise<void> {
  collector = await TestCollector.start();
  server = await OrchestratorProcess.start({
    ...{ REGISTRY_URL: registry.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...BRISK },
    ...settings,
  });
}

async function stop(): Promise<void> {
  await server.remove();
  await collector.stop();
}

/** All spans of a task's trace, once its request's has come. */
async function traceOf(json: any): Promise<{ request: CollectedSpan; task: CollectedSpan; attempts: CollectedSpan[] }> {
  const [task] = await until(() => {
    const found = collector.ofTask(json.task_id).filter(({ name }) => name.startsWith('task '));
    return found.length > 0 ? found : null;
  });
  const request = await until(() => collector.spans.find(({ spanId }) => spanId === task?.parentSpanId));
  return { request, task: task!, attempts: collector.ofTask(json.task_id).filter(({ kind }) => kind === 'client') };
}

beforeAll(async () => {
  droplet = await startDroplet();
  registry = await TestRegistry.start([entry(3, 'Echo', droplet.url)]);
});
afterAll(async () => {
  await registry.stop();
  await droplet.stop();
});

describe('a trace', () => {
  beforeAll(() => start({ OTEL_SERVICE_NAME: 'router', OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b,x-other=c' }));
  afterAll(() => stop());

  it('leads from the caller over the request and the task to each attempt, and on to the droplet', async () => {
    const { json } = await run('/flaky?fail=2&for=traces', { ...SAMPLED, tracestate: 'vendor=1' });
    const { request, task, attempts } = await traceOf(json);
    expect(request).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, name: 'POST /tasks', kind: 'server', isError: false });
    expect(task).toMatchObject({ traceId: TRACE, parentSpanId: request.spanId, name: 'task echo', kind: 'internal' });
    expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([1, 2, 3].map(() => task.spanId));
    const called = droplet.seen.filter(({ url }) => url.includes('for=traces')).map(({ headers }) => headers);
    expect(called.map(({ traceparent }) => spanIdOf(traceparent))).toEqual(attempts.map(({ spanId }) => spanId));
    expect(called.map(({ traceparent }) => traceparent)).toEqual(attempts.map(({ spanId }) => `00-${TRACE}-${spanId}-01`));
    expect(called.map(({ tracestate }) => tracestate)).toEqual(['vendor=1', 'vendor=1', 'vendor=1']);
    expect([request, task, ...attempts].map(({ traceState }) => traceState)).toEqual(Array(5).fill('vendor=1'));
  });

  it('has a link from each retry to the attempt before', async () => {
    const { attempts } = await traceOf((await run('/flaky?fail=2&for=links')).json);
    const [first, second, third] = attempts;
    expect(attempts.map(({ links }) => links)).toEqual([[], [first?.spanId], [second?.spanId]]);
    expect(attempts.map(({ isError }) => isError)).toEqual([true, true, false]);
    expect(first!.end).toBeLessThanOrEqual(second!.start);
    expect(second!.end).toBeLessThanOrEqual(third!.start);
  });

  it('says what happened in the words of OpenTelemetry, without the query', async () => {
    const { json } = await run('/flaky?fail=1&for=secrets&token=sesame', { 'x-request-id': 'req-7' });
    const { request, task, attempts } = await traceOf(json);
    expect(request.attributes).toMatchObject({
      ...{ 'http.request.method': 'POST', 'http.route': '/tasks', 'url.path': '/orchestrator/tasks', 'url.scheme': 'http' },
      ...{ 'http.response.status_code': 200, 'orchestrator.request.id': 'req-7' },
    });
    expect(task.attributes).toMatchObject({
      ...{ 'orchestrator.task.id': json.task_id, 'orchestrator.droplet': 'echo', 'orchestrator.task.method': 'GET' },
      ...{ 'orchestrator.task.status': 'success', 'orchestrator.task.attempts': 2 },
    });
    const to = { 'server.address': '127.0.0.1', 'server.port': droplet.port, 'url.full': `${droplet.url}/flaky` };
    const common = { ...to, 'http.request.method': 'GET', 'peer.service': 'Echo' };
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({
        ...common,
        'http.response.status_code': 503,
        'error.type': '503',
        'orchestrator.task.attempt': 1,
      }),
      expect.objectContaining({ ...common, 'http.response.status_code': 200, 'http.request.resend_count': 1 }),
    ]);
    expect(attempts.map(({ name }) => name)).toEqual(['GET Echo', 'GET Echo']);
    expect(JSON.stringify(collector.spans)).not.toContain('sesame');
  });

  it('of a task that fails is an error, and says which', async () => {
    const { task, attempts } = await traceOf((await run('/reset', {}, { max_attempts: 1 })).json);
    expect(task).toMatchObject({ isError: true, attributes: { 'error.type': 'DROPLET_UNREACHABLE' } });
    expect(attempts[0]).toMatchObject({ isError: true, attributes: { 'error.type': 'no-answer' } });
  });

  it('of an asynchronous task goes on from its request, with an attempt and its link in each run', async () => {
    const { json } = await run('/flaky?fail=1&for=later', { ...SAMPLED, tracestate: 'vendor=2', prefer: 'respond-async' });
    const tasks = await until(() => {
      const found = collector.ofTask(json.task_id).filter(({ kind }) => kind === 'consumer');
      return found.length === 2 ? found : null;
    });
    const request = await until(() => collector.spans.find(({ spanId }) => spanId === tasks[0]?.parentSpanId));
    expect(request).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, kind: 'server' });
    expect(tasks.map(({ parentSpanId, traceId }) => [parentSpanId, traceId])).toEqual(Array(2).fill([request.spanId, TRACE]));
    expect(tasks.map(({ attributes }) => attributes['orchestrator.task.status'])).toEqual(['queued', 'success']);
    const [first, second] = collector.ofTask(json.task_id).filter(({ kind }) => kind === 'client');
    expect([first?.parentSpanId, second?.parentSpanId]).toEqual(tasks.map(({ spanId }) => spanId));
    expect(second?.links).toEqual([first?.spanId]);
    expect(second?.traceState).toBe('vendor=2');
    const shown = (await server.get(`/orchestrator/tasks/${json.task_id}`)).text;
    expect(shown).not.toMatch(/traceparent|tracestate|lastAttempt/);
  });

  it('of a task that came by a message goes on from that', async () => {
    const payload = { command: 'create_task', task_data: { droplet_name: 'echo', path: '/health' } };
    const message = { trace_id: 'm1', source: 'a', target: 'b', message_type: 'command', payload };
    const { json } = await server.post('/orchestrator/message', message, SAMPLED);
    const { request } = await traceOf(json.data);
    expect(request).toMatchObject({ name: 'POST /message', traceId: TRACE });
  });

  it('begins anew where the caller sent none, or nonsense', async () => {
    const { request } = await traceOf((await run('/health', { traceparent: '00-0-0-01', tracestate: 'vendor=3' })).json);
    expect(request).toMatchObject({ parentSpanId: '', traceState: '' });
    expect(request.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  it('stands in the log lines of what belongs to it', async () => {
    const { json } = await run('/health', SAMPLED);
    const { request, task } = await traceOf(json);
    const finished = await until(() => logged().find(({ task_id }) => task_id === json.task_id));
    expect(finished).toMatchObject({ msg: 'task finished', trace_id: TRACE, span_id: request.spanId });
    expect(task.traceId).toBe(TRACE);
    const listening = logged().find(({ msg }) => msg === 'listening');
    expect(listening).not.toHaveProperty('trace_id');
  });

  it('is named by the lines about messages, beside the id that a message brings or gets', async () => {
    const message = { trace_id: 'm2', source: 'a', target: 'b', message_type: 'event', payload: {} };
    await server.post('/orchestrator/message', message, SAMPLED);
    const { json } = await server.post('/orchestrator/send', { target: 'nobody', message_type: 'event' }, SAMPLED);
    const lineOf = (id: string): Promise<any> => until(() => logged().find(({ message_trace_id }) => message_trace_id === id));
    expect(await lineOf('m2')).toMatchObject({ msg: 'message received', trace_id: TRACE, span_id: expect.any(String) });
    expect(await lineOf(json.trace_id)).toMatchObject({ msg: 'message sent', trace_id: TRACE, span_id: expect.any(String) });
  });

  it('holds together when the body comes later than its head', async () => {
    const body = JSON.stringify({ droplet_name: 'echo', path: '/health' });
    const headers = { ...SAMPLED, 'content-type': 'application/json', 'content-length': String(body.length) };
    const sent = http.request(`${server.url}/orchestrator/tasks`, { method: 'POST', headers });
    sent.flushHeaders();
    await aMoment();
    sent.end(body);
    const answer = await new Promise<http.IncomingMessage>((resolve) => sent.once('response', resolve));
    const { request, task } = await traceOf(JSON.parse((await answer.setEncoding('utf8').toArray()).join('')));
    expect([request.traceId, request.parentSpanId, task.traceId]).toEqual([TRACE, SPAN, TRACE]);
  });

  it('of a refused request is one span, and no task', async () => {
    const { headers } = await server.task({ droplet_name: 'nobody', path: '/' }, { 'x-request-id': 'refused-1' });
    expect(headers.get('x-request-id')).toBe('refused-1');
    const span = await until(() =>
      collector.spans.find(({ attributes }) => attributes['orchestrator.request.id'] === 'refused-1'),
    );
    expect(span.attributes['http.response.status_code']).toBe(400);
    expect(collector.spans.filter(({ traceId }) => traceId === span.traceId)).toHaveLength(1);
  });

  it('is never named by a path or an id, and none is made of probes and scrapes', async () => {
    const { json } = await run('/health');
    for (const path of [`/tasks/${json.task_id}`, '/no/such/path', '/health/live', '/metrics', '/metrics/prometheus'])
      await server.get(`/orchestrator${path}`);
    await until(() => collector.spans.some(({ name }) => name === 'GET /tasks/:id'));
    await until(() => collector.spans.some(({ attributes }) => attributes['http.response.status_code'] === 404));
    const names = new Set(collector.spans.map(({ name }) => name));
    const known = ['POST /tasks', 'POST /message', 'POST /send', 'GET /tasks/:id', 'GET', 'task echo', 'GET Echo', 'GET echo'];
    expect([...names].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('says whose it is, and knows the key of the collector', async () => {
    const [span] = await until(() => (collector.spans.length > 0 ? collector.spans : null));
    expect(span?.resource).toMatchObject({ 'service.name': 'router', 'deployment.environment.name': 'development' });
    expect(span?.resource['service.version']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(collector.requests[0]?.headers).toMatchObject({ 'x-key': 'a b', 'x-other': 'c' });
  });
});

describe('which traces are kept', () => {
  afterEach(() => stop());

  it('the caller decides: one that it does not collect is not sent, but goes on to the droplet and the log', async () => {
    await start();
    const { json } = await run('/echo', { traceparent: `00-${TRACE}-${SPAN}-00` });
    expect(json.response_body.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-00$`));
    const finished = await until(() => logged().find(({ task_id }) => task_id === json.task_id));
    expect(finished.trace_id).toBe(TRACE);
    const { json: kept } = await run('/echo');
    await traceOf(kept);
    expect(collector.spans.filter(({ traceId }) => traceId === TRACE)).toEqual([]);
  });

  it('of our own, the share that is asked for', async () => {
    await start({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
    await run('/echo');
    const { json } = await run('/echo', SAMPLED);
    await traceOf(json);
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  });
});

describe('OpenTelemetry itself', () => {
  /** Tells of every module that is loaded. */
  const SPY = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.error('loads', url), next(url, context)) });`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(SPY)}`;
  /** prom-client loads the interfaces by itself. */
  const loaded = (process: OrchestratorProcess): string[] =>
    process.lines.filter((line) => /^loads .*@opentelemetry\/(?!api\/)/.test(line));

  it('is not loaded without a collector, and no log line asks for spans', async () => {
    const silent = await OrchestratorProcess.start({ NODE_OPTIONS });
    const { json } = await silent.task({ droplet_name: 'orchestrator', path: '/health' });
    expect(json.status).toBe('success');
    expect(silent.lines.filter((line) => line.startsWith('loads ')).length).toBeGreaterThan(100);
    expect(loaded(silent)).toEqual([]);
    expect(silent.lines.filter((line) => line.includes('"trace_id"'))).toEqual([]);
    await silent.remove();
  });

  it('is loaded with one', async () => {
    await start({ NODE_OPTIONS });
    expect(loaded(server).length).toBeGreaterThan(10);
    await stop();
  });
});

describe('the end of the process', () => {
  it('sends what is left', async () => {
    await start();
    const { json } = await run('/health');
    expect(await server.leave()).toEqual({ code: 0, signal: null });
    expect(collector.ofTask(json.task_id)).toHaveLength(2);
    await stop();
  });
});

describe('a collector', () => {
  afterEach(() => stop());

  const FAULTS: [string, () => unknown][] = [
    ['that hangs', () => collector.misbehave(() => undefined)],
    ['that answers 500', () => collector.misbehave((_seen, response) => void response.writeHead(500).end())],
    ['that answers nonsense', () => collector.misbehave((_seen, response) => response.socket?.end('HTTP/1.1 nonsense'))],
    ['that is away', () => collector.stop()],
  ];

  it.each(FAULTS)('%s costs nobody anything, and does not hold the end', async (_fault, spoil) => {
    await start();
    await spoil();
    const answers = await Promise.all(Array.from({ length: 40 }, () => run('/health')));
    expect(answers.map(({ status, json }) => [status, json.status])).toEqual(Array(40).fill([200, 'success']));
    expect(await server.leave()).toEqual({ code: 0, signal: null });
    expect(logged().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
