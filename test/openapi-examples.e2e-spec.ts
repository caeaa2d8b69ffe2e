import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventReader } from './support/event.reader.js';
import { until } from './support/http.client.js';
import { expectDocumented, expectSchema, operation, operations, type DocumentedOperation } from './support/open.api.js';
import { OrchestratorProcess } from './support/process.js';
import { freePort, reply, TestServer } from './support/server.js';

const SECRET = `whsec_${Buffer.from('a secret that is long enough').toString('base64')}`;

let server: OrchestratorProcess;
let droplet: TestServer;
beforeAll(async () => {
  droplet = await TestServer.start(({ url }, response) => reply(response, url.startsWith('/fail') ? 503 : 200, { seen: url }));
  server = await OrchestratorProcess.start({
    ...{ CALLBACK_SECRET: SECRET, CALLBACK_ALLOW_PRIVATE: 'true', RETRY_BACKOFF_BASE_MS: '20', RETRY_BACKOFF_MAX_MS: '40' },
    ...{ ASYNC_BACKOFF_BASE_MS: '20', ASYNC_BACKOFF_MAX_MS: '40', ASYNC_MAX_RETRIES: '2' },
  });
  await server.post('/droplets', { name: 'real', endpoint: droplet.url });
  await server.post('/droplets', { name: 'gone', endpoint: `http://127.0.0.1:${await freePort()}`, status: 'inactive' });
}, 40_000);
afterAll(async () => {
  await server.remove();
  await droplet.stop();
});

/** Sends a request of an operation, and holds its answer against the document. */
async function send(to: DocumentedOperation, key = '', body?: unknown, headers: Record<string, string> = {}): Promise<any> {
  const answer = await server.request(to.method, to.path.replace(/\{\w+\}/, encodeURIComponent(key)), body, headers);
  expectDocumented(to, answer);
  return answer;
}

/** What the examples of an operation are about, by its path parameter; an entry is there before it is changed or removed. */
const KEYS: Record<string, string> = { removeDroplet: 'mailer', getDropletByName: 'billing' };
const keyOf = ({ id, path }: DocumentedOperation): string => (path.includes('{') ? (KEYS[id] ?? 'billing') : '');

const withExamples = operations.filter(({ body }) => body !== undefined);
const rank = ({ id }: DocumentedOperation): number => ['addDroplet', 'registerDroplet'].indexOf(id);
const inOrder = [...withExamples].sort((a, b) => rank(b) - rank(a));

describe('the examples of requests', () => {
  it('are there for every operation that takes a body', () => {
    expect(withExamples.map(({ id }) => id)).toHaveLength(10);
    const bare = withExamples.filter(({ body }) => Object.keys(body.content['application/json'].examples).length === 0);
    expect(bare).toEqual([]);
  });

  it.each(inOrder.map((each) => [each.id, each] as const))('of %s are answered as it says', async (_id, each) => {
    for (const { value, 'x-answered-with': status } of Object.values<any>(each.body.content['application/json'].examples)) {
      const answer = await send(each, keyOf(each), value);
      expect(answer.status).toBeLessThan(300);
      if (status !== undefined) expect(answer.status).toBe(status);
    }
  });

  it.each(['pauseDroplet', 'resumeDroplet', 'getDroplet', 'getDropletByName', 'removeDroplet'])(
    'of %s need no body',
    async (id) => {
      expect((await send(operation(id), keyOf(operation(id)))).status).toBe(200);
    },
  );
});

const PLAIN = operations.filter(({ id, method, path }) => method === 'GET' && !path.includes('{') && id !== 'followTasks');

it.each(PLAIN.map((each) => [each.id, each] as const))('%s answers what it says', async (_id, each) => {
  expect((await send(each)).status).toBe(200);
});

describe('getMetrics', () => {
  it.each(['text/plain', 'application/openmetrics-text'])('answers %s to who prefers that', async (accept) => {
    const { text } = await send(operation('getMetrics'), '', undefined, { accept });
    expect(text).toContain('# TYPE');
  });
});

describe('tasks of every outcome are as documented', () => {
  const submit = (task: object, headers = {}): Promise<any> => send(operation('submitTask'), '', task, headers);
  const shown = async (id: string): Promise<any> => (await send(operation('getTask'), id)).json;

  it.each([
    ['a success', { droplet_name: 'real', path: '/' }, 'success'],
    ['a failure after attempts', { droplet_name: 'real', path: '/fail' }, 'error'],
    ['an inactive droplet that is gone', { droplet_name: 'gone', path: '/' }, 'error'],
    ['a refusal', { droplet_name: 'orchestrator', path: '/nowhere' }, 'error'],
  ])('%s', async (_title, task, status) => {
    const { json } = await submit(task);
    expect(json.status).toBe(status);
    expect((await shown(json.task_id)).history.length).toBe(json.attempts);
  });

  it('the receipt, the wait, the replay', async () => {
    const task = { droplet_name: 'real', path: '/later' };
    const key = { 'idempotency-key': 'openapi-1' };
    const receipt = await submit(task, { ...key, prefer: 'respond-async' });
    expect([receipt.status, receipt.headers.get('location')]).toEqual([202, `/orchestrator/tasks/${receipt.json.task_id}`]);
    const replay = await submit(task, { ...key, prefer: 'wait=5' });
    expect([replay.status, replay.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  });

  it('cancelled, run again, and in the list', async () => {
    const { json } = await submit({ droplet_name: 'real', path: '/fail', delay_ms: 600_000, meta: { about: 'openapi' } });
    expect((await send(operation('cancelTask'), json.task_id)).json.status).toBe('cancelled');
    expect((await send(operation('retryTask'), json.task_id)).json.status).toBe('queued');
    const page = await server.get('/orchestrator/tasks?meta.about=openapi&limit=1');
    expectDocumented(operation('listTasks'), page);
    expect(page.json.total).toBe(1);
  });

  it('an event of the stream', async () => {
    const reader = await EventReader.open(server.url);
    expect(reader.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const { json } = await submit({ droplet_name: 'real', path: '/fail' });
    const { event, data } = await until(() => reader.events.find((each) => each.data.id === json.task_id));
    reader.close();
    expect(event).toBe('task');
    expectSchema(data, 'components', 'schemas', 'TaskEvent');
  });

  it('a batch of which a part is refused', async () => {
    const tasks = [{ droplet_name: 'real', path: '/' }, { droplet_name: 'nobody', path: '/' }, { path: 5 }];
    const { json } = await send(operation('submitBatch'), '', { tasks });
    expect([json.accepted, json.rejected]).toEqual([1, 2]);
  });
});

describe('what we send is as documented', () => {
  it('to a callback_url', async () => {
    const task = { droplet_name: 'real', path: '/', callback_url: `${droplet.url}/hook` };
    await server.task(task, { prefer: 'respond-async' });
    const { headers, body } = await until(() => droplet.seen.find(({ url }) => url === '/hook'));
    expectSchema(JSON.parse(body), 'components', 'schemas', 'CallbackBody');
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) expect(headers[name]).toMatch(/\S/);
  });

  it('to the /message of a droplet', async () => {
    await send(operation('deliverMessage'), '', { target: 'real', message_type: 'status', payload: {} });
    const { body } = await until(() => droplet.seen.find(({ url }) => url === '/message'));
    expectSchema(JSON.parse(body), 'components', 'schemas', 'MessageToDroplet');
  });
});
