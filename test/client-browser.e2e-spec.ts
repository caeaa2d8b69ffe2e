import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describeInBrowser, Watched } from './support/browser.js';
import { until } from './support/http.client.js';
import { ROOT } from './support/process.js';
import { TaskMesh } from './support/task.mesh.js';

const CLIENT = path.join(ROOT, 'dist/client');
const NOBODY = '01a2087f-b6b9-760a-9e3a-019a530b8572';

describeInBrowser('OrchestratorClient in a browser', () => {
  let mesh: TaskMesh;
  let watched: Watched;

  beforeAll(async () => {
    if (!existsSync(path.join(CLIENT, 'entry.js'))) throw new Error('there is no dist/client: npm run build');
    mesh = await TaskMesh.start();
  }, 60_000);
  afterEach(() => watched.close());
  afterAll(() => mesh.stop());

  /** A page at `/app/` of an origin that has the client's files as they were built, and nothing else. */
  const open = async (origin: string): Promise<void> => {
    watched = await Watched.open('about:blank');
    await watched.page.route('**/app/**', async (route) => {
      const file = new URL(route.request().url()).pathname.replace(/^\/app\//, '');
      if (file === '') await route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>app</title>' });
      else await route.fulfill({ path: path.join(CLIENT, file) });
    });
    await watched.page.goto(`${origin}/app/`);
  };
  /** Runs a module's code in the page, with all that the package exports; text, for the page has no build. */
  const inPage = (code: string, url = mesh.orchestrator.url): Promise<any> =>
    watched.page.evaluate(`import('/app/entry.js').then(async (all) => {
      const { OrchestratorClient, OrchestratorError, JsonText, isFinal, replyOf } = all;
      const client = new OrchestratorClient({ url: '${url}' });
      const refusal = (call) => call.then(() => null, (error) => ({
        ...error, message: error.message, isOurs: error instanceof OrchestratorError,
      }));
      ${code}
    })`);

  it('has nothing of Node there, and asks the page alone for its modules', async () => {
    await open(mesh.orchestrator.url);
    expect(await inPage(`return [typeof process, typeof Buffer, typeof require, Object.keys(all).sort()]`)).toEqual([
      ...['undefined', 'undefined', 'undefined'],
      ['JsonText', 'OrchestratorClient', 'OrchestratorError', 'isFinal', 'replyOf'],
    ]);
    expect(watched.urls.filter((url) => !/\/app\/([a-z.]+\.js)?$/.test(url) && url !== 'about:blank')).toEqual([]);
    expect(watched.faults).toEqual([]);
  });

  it('hands a task over, waits for it, gets it and lists it', async () => {
    await open(mesh.orchestrator.url);
    const seen = await inPage(`
      const receipt = await client.enqueue({ droplet_name: 'echo', path: '/flaky?fail=1&browser', meta: { page: 'a & b' } });
      const waited = await client.wait(receipt.task_id);
      const got = await client.task(receipt.task_id);
      const listed = [];
      for await (const { id } of client.tasks({ meta: { page: 'a & b' }, limit: 1 })) listed.push(id);
      return { receipt, waited, got, listed };
    `);
    const id = seen.receipt.task_id;
    expect([seen.receipt.status, seen.waited.status, seen.waited.attempts]).toEqual(['queued', 'success', 2]);
    expect([seen.got, seen.listed]).toEqual([seen.waited, [id]]);
    expect(watched.faults).toEqual([]);
  });

  it('does once what is sent twice with a key, and keeps numbers that JavaScript cannot', async () => {
    await open(mesh.orchestrator.url);
    const seen = await inPage(`
      const payload = new JsonText('{"n":9007199254740993}');
      const task = { droplet_name: 'echo', method: 'POST', path: '/echo?browser', payload };
      const first = await client.enqueue(task, { idempotencyKey: 'page-1', waitMs: 10_000 });
      const again = await client.submit(task, { idempotencyKey: 'page-1' });
      const madeUp = await client.enqueue({ droplet_name: 'echo', path: '/array' }, { idempotencyKey: true });
      return { first, again, madeUp, text: replyOf(first).text, replayed: replyOf(again).headers.get('idempotency-replayed') };
    `);
    expect([seen.first.status, seen.again.task_id, seen.replayed]).toEqual(['success', seen.first.task_id, 'true']);
    expect([seen.madeUp.status, mesh.echo.hits('/echo?browser')]).toEqual(['queued', 1]);
    expect(mesh.echo.seen.find(({ url }) => url === '/echo?browser')?.body).toBe('{"n":9007199254740993}');
    expect(seen.text).toContain('9007199254740993');
    expect(watched.faults).toEqual([]);
  });

  it('is told of changes as they happen, and goes on where it stood', async () => {
    await open(mesh.orchestrator.url);
    const seen = await inPage(`
      const run = async (options) => {
        const changes = [];
        for await (const change of client.events({ meta: { page: 'events' } }, options)) {
          changes.push(change);
          if (isFinal(change.task.status)) return changes;
        }
      };
      const task = { droplet_name: 'echo', path: '/array', meta: { page: 'events' } };
      const first = await run({ onOpen: () => void client.enqueue(task) });
      const missed = await client.enqueue(task, { waitMs: 10_000 });
      const later = await run({ lastEventId: first.at(-1).id });
      return { first, later, missed: missed.task_id };
    `);
    const statuses = (changes: any[]): string[] => changes.map(({ task }) => task.status);
    expect([statuses(seen.first), statuses(seen.later)]).toEqual([
      ['queued', 'running', 'success'],
      ['queued', 'running', 'success'],
    ]);
    expect(seen.later.map(({ task }: any) => task.id)).toEqual([seen.missed, seen.missed, seen.missed]);
    expect(watched.faults).toEqual([]);
  });

  it('takes a task back, and ends a call that is aborted with its reason', async () => {
    await open(mesh.orchestrator.url);
    const seen = await inPage(`
      const { task_id } = await client.enqueue({ droplet_name: 'echo', path: '/array', delay_ms: 3_600_000 });
      const { status } = await client.cancel(task_id);
      const stop = new AbortController();
      const waits = client.wait((await client.enqueue({ droplet_name: 'echo', path: '/array', delay_ms: 3_600_000 })).task_id,
        { signal: stop.signal }).catch((reason) => reason.message);
      stop.abort(new Error('enough'));
      return [status, await waits];
    `);
    expect(seen).toEqual(['cancelled', 'enough']);
    expect(watched.faults).toEqual([]);
  });

  it('throws what is refused as in Node, with code, status, details and the id of the request', async () => {
    await open(mesh.orchestrator.url);
    const [unknown, nobody] = await inPage(`return Promise.all([
      refusal(client.submit({ droplet_name: 'nobody', path: '/' })), refusal(client.task('${NOBODY}')),
    ])`);
    expect(unknown).toMatchObject({ isOurs: true, code: 'DROPLET_NOT_FOUND', status: 400, mayHaveArrived: false });
    expect(unknown.details).toMatchObject({ requested_droplet: 'nobody' });
    expect([unknown.requestId, nobody.code]).toEqual([expect.stringMatching(/^[\w.-]+$/), 'TASK_NOT_FOUND']);
  });

  it('makes up a key also on a page without TLS, where browsers keep much back', async () => {
    const origin = 'http://intranet.example';
    await open(origin);
    await watched.page.route(`${origin}/orchestrator/**`, async (route) => {
      const url = route.request().url().replace(origin, mesh.orchestrator.url);
      await route.fulfill({ response: await route.fetch({ url }) });
    });
    const enqueue = `client.enqueue({ droplet_name: 'echo', path: '/array' }, { idempotencyKey: true })`;
    expect(await inPage(`return [isSecureContext, (await ${enqueue}).status]`, origin)).toEqual([false, 'queued']);
    expect(watched.faults).toEqual([]);
  });

  it('may not be asked from a page of another origin, and says that no answer came', async () => {
    await open('http://localhost');
    const calls = mesh.echo.hits('/echo?foreign');
    const error = await inPage(`return refusal(client.submit({ droplet_name: 'echo', path: '/echo?foreign' }))`);
    expect(error).toMatchObject({ isOurs: true, code: 'UNREACHABLE', status: null });
    expect(await until(() => watched.faults.some((fault) => fault.includes('CORS')))).toBe(true);
    expect(mesh.echo.hits('/echo?foreign')).toBe(calls);
  });
});
