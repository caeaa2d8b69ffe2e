import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startDroplet } from './support/droplet.js';
import { HttpClient, until } from './support/http.client.js';
import { OrchestratorProcess, tempFolder } from './support/process.js';
import { RawConnection } from './support/raw.client.js';
import { entry, TestRegistry } from './support/registry.js';
import { freePort, type TestServer } from './support/server.js';

/** The goal is 1.5 s; a busy machine gets more. */
const READY_MS = 8000;
const MEMORY_KIB = 150 * 1024;

/** Every byte below a folder, as one text. */
function bytesBelow(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return files.map((file) => readFileSync(path.join(file.parentPath, file.name), 'latin1')).join('\n');
}

const residentKib = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('the built server as a process', () => {
  const processes: OrchestratorProcess[] = [];
  let droplet: TestServer;

  const started = async (environment?: Record<string, string>, home?: string): Promise<OrchestratorProcess> => {
    const server = await OrchestratorProcess.start(environment, home);
    processes.push(server);
    return server;
  };
  const spawned = async (environment?: Record<string, string>, home?: string): Promise<OrchestratorProcess> => {
    const server = await OrchestratorProcess.spawn(environment, home);
    processes.push(server);
    return server;
  };
  const withDroplet = async (server: OrchestratorProcess): Promise<void> => {
    const { status } = await server.post('/register', { name: 'echo', url: droplet.url });
    expect(status).toBe(200);
  };

  beforeAll(async () => {
    droplet = await startDroplet();
  });
  afterAll(() => droplet.stop());
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((server) => server.remove()));
  });

  describe('start', () => {
    it('is ready soon, in an empty folder and with no setting at all', async () => {
      const before = performance.now();
      const server = await started();
      expect(performance.now() - before).toBeLessThan(READY_MS);
      expect((await server.get('/orchestrator/health/ready')).status).toBe(200);
      expect(readdirSync(path.join(server.home, 'data'))).toContain('orchestrator.db');
    });

    it('takes less than 150 MiB when idle', async () => {
      const server = await started();
      expect(residentKib(server.process.pid)).toBeLessThan(MEMORY_KIB);
    });

    it('reads .env in its working directory', async () => {
      const home = tempFolder();
      writeFileSync(path.join(home, '.env'), '# a comment\nSERVICE_NAME=from-file\nSTEWARD="Ada L."\n');
      const { json } = await (await started({}, home)).get('/orchestrator/health');
      expect(json).toMatchObject({ name: 'from-file', steward: 'Ada L.' });
    });

    it('lets the environment win over .env, but not with an empty value', async () => {
      const home = tempFolder();
      writeFileSync(path.join(home, '.env'), 'SERVICE_NAME=from-file\nSTEWARD=from-file\n');
      const server = await started({ SERVICE_NAME: 'from-environment', STEWARD: '' }, home);
      expect((await server.get('/orchestrator/health')).json).toMatchObject({ name: 'from-environment', steward: 'from-file' });
    });

    it.each([
      ['PORT', { PORT: '70000' }],
      ['PORT', { PORT: 'http' }],
      ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
      ['ENVIRONMENT', { ENVIRONMENT: 'live' }],
      ['REGISTRY_URL', { REGISTRY_URL: 'registry:8000' }],
      ['REGISTRY_URL', { REGISTRY_URL: 'http://user:hunter2@registry' }],
      ['PUBLIC_URL', { PUBLIC_URL: 'ftp://here' }],
      ['REGISTRY_TIMEOUT', { REGISTRY_TIMEOUT: '0' }],
      ['REGISTRY_SYNC_INTERVAL', { REGISTRY_SYNC_INTERVAL: '1m' }],
      ['TASK_TIMEOUT', { TASK_TIMEOUT: '-1' }],
      ['TASK_MAX_RETRIES', { TASK_MAX_RETRIES: '2.5' }],
      ['RETRY_JITTER', { RETRY_JITTER: 'half' }],
      ['BODY_LIMIT', { BODY_LIMIT: '1 MiB' }],
      ['API_KEYS_FILE', { AUTH_MODE: 'apikey' }],
      ['API_KEYS_FILE', { AUTH_MODE: 'apikey', API_KEYS_FILE: 'no-such-file.json' }],
      ['DATABASE_URL', { DATABASE_URL: 'mysql://user:hunter2@db/orchestrator' }],
      ['CALLBACK_SECRET', { CALLBACK_SECRET: 'hunter2' }],
    ])('stops with code 1 and one line that names %s (%j)', async (name, environment: Record<string, string>) => {
      const server = await spawned(environment, tempFolder());
      expect(await server.process.end()).toEqual({ code: 1, signal: null });
      expect(server.lines).toHaveLength(1);
      expect(JSON.parse(server.lines[0]!).msg).toContain(name);
      expect(server.lines[0]).not.toContain('hunter2');
    });

    it('says in one line that its port is taken', async () => {
      const first = await started();
      const second = await spawned({ PORT: String(first.port) });
      expect(await second.process.end()).toEqual({ code: 1, signal: null });
      expect(second.lines).toHaveLength(1);
      expect(JSON.parse(second.lines[0]!).msg).toMatch(new RegExp(`in use.*${first.port}.*give PORT`));
      expect((await first.get('/orchestrator/health')).status).toBe(200);
    });

    it('refuses, in one sentence, a database that another process works on', async () => {
      const first = await started();
      const second = await spawned({}, first.home);
      expect(await second.process.end()).toEqual({ code: 1, signal: null });
      expect(second.lines).toHaveLength(1);
      expect(JSON.parse(second.lines[0]!).msg).toMatch(/orchestrator\.db is in use by another process/);
      expect((await first.get('/orchestrator/health/ready')).status).toBe(200);
    });
  });

  describe('log', () => {
    it('is one JSON object a line and holds no secret; neither do the files and the figures', async () => {
      const registry = await TestRegistry.start([entry(3, 'Echo', droplet.url)]);
      const secrets = ['token-k3y', 'authorization-k3y', 'payload-k3y', 'refused-k3y'];
      const [token, authorization, payload, refused] = secrets;
      const server = await started({ LOG_LEVEL: 'TRACE', REGISTRY_URL: registry.url, REGISTRY_TOKEN: token! });
      const task = { droplet_name: 'echo', headers: { Authorization: `Bearer ${authorization}` }, payload: { payload } };
      const answers = await Promise.all([
        server.task({ ...task, method: 'POST', path: '/health' }),
        server.task({ ...task, path: '/status?code=404' }),
        server.task({ ...task, path: '/status?code=503', max_attempts: 1 }),
        server.task({ ...task, path: '/never', timeout_ms: 100 }),
        server.task({ ...task, path: '/reset', max_attempts: 1 }),
        server.task({ ...task, path: '//x', meta: { refused: [refused] } }),
        server.post('/orchestrator/tasks', `{"droplet_name":"${refused}`),
        server.task({ ...task, path: '/health', headers: { Authorization: `Basic ${refused}`, Cookie: refused } }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 400, 400, 400]);
      expect(droplet.seen.some(({ headers }) => headers.authorization === `Bearer ${authorization}`)).toBe(true);
      expect(registry.server.seen.every(({ headers }) => headers.authorization === `Bearer ${token}`)).toBe(true);
      const figures = (await server.get('/orchestrator/metrics/prometheus')).text;
      const filesWhileRunning = bytesBelow(server.home);
      expect(await server.leave()).toEqual({ code: 0, signal: null });
      await registry.stop();

      expect(server.process.stderr).toBe('');
      expect(server.lines.length).toBeGreaterThan(10);
      for (const line of server.lines)
        expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
      const everything = [filesWhileRunning, bytesBelow(server.home), figures, ...server.lines].join('\n');
      expect(everything).toContain(answers[0].json.task_id);
      expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
    });

    it('tells of each task its ids, droplet, outcome and duration', async () => {
      const server = await started();
      const { json } = await server.task({ droplet_name: 'Orchestrator', path: '/health' }, { 'x-request-id': 'my-request' });
      const line = await until(() => server.lines.find((each) => each.includes(json.task_id)));
      expect(JSON.parse(line)).toMatchObject({
        ...{ level: 'info', request_id: 'my-request', task_id: json.task_id, droplet: 'orchestrator' },
        ...{ outcome: 'success', duration_ms: json.duration_ms },
      });
    });

    it('says nothing but warnings at LOG_LEVEL=Warning', async () => {
      const server = await started({ LOG_LEVEL: 'Warning' });
      await server.task({ droplet_name: 'orchestrator', path: '/health' });
      await server.leave();
      expect(server.lines).toEqual([]);
    });
  });

  describe('end', () => {
    it('ends with 0 on SIGTERM under load; no caller is cut off and every answered task is recorded', async () => {
      const server = await started();
      await withDroplet(server);
      const answered: string[] = [];
      const failures: unknown[] = [];
      const codeOf = (error: { cause?: NodeJS.ErrnoException }): unknown => error.cause?.code;
      const caller = async (): Promise<void> => {
        for (;;) {
          const call = server.task({ droplet_name: 'echo', path: '/slow?ms=20' });
          const [answer, failure] = await call.then(
            (answer) => [answer, null] as const,
            (error: unknown) => [null, codeOf(error as Error & { cause?: NodeJS.ErrnoException })] as const,
          );
          if (answer === null) return void failures.push(failure);
          expect(answer.json.status).toBe('success');
          answered.push(answer.json.task_id);
        }
      };
      const callers = Promise.all(Array.from({ length: 16 }, caller));
      await until(() => answered.length > 100, 15_000);
      expect(await server.leave()).toEqual({ code: 0, signal: null });
      await callers;
      expect(new Set(failures)).toEqual(new Set(['ECONNREFUSED']));

      const next = await started({}, server.home);
      const missing: string[] = [];
      for (const id of answered) {
        const { json } = await next.get(`/orchestrator/tasks/${id}`);
        if (json.status !== 'success') missing.push(id);
      }
      expect(missing).toEqual([]);
      expect((await next.get('/orchestrator/metrics')).json.tasks.success).toBe(answered.length);
    });

    it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s when nothing runs', async (name) => {
      const server = await started();
      expect(await server.leave(name)).toEqual({ code: 0, signal: null });
    });

    it('ends at once on a second signal, while a call still runs', async () => {
      const server = await started({ SHUTDOWN_GRACE: '60' });
      await withDroplet(server);
      const hits = droplet.hits('/never');
      const call = server.task({ droplet_name: 'echo', path: '/never', timeout_ms: 60_000 }).catch(() => 'cut off');
      await until(() => droplet.hits('/never') > hits);
      server.process.signal('SIGTERM');
      await until(() => server.process.stdout.includes('shutting down'));
      expect(server.process.hasEnded).toBe(false);
      server.process.signal('SIGTERM');
      expect(await server.process.end(10_000)).toEqual({ code: 1, signal: null });
      expect(await call).toBe('cut off');
    });

    it('aborts and records a call that outlasts SHUTDOWN_GRACE', async () => {
      const server = await started({ SHUTDOWN_GRACE: '0.2' });
      await withDroplet(server);
      const hits = droplet.hits('/never');
      const call = server.task({ droplet_name: 'echo', path: '/never', timeout_ms: 60_000 });
      await until(() => droplet.hits('/never') > hits);
      expect(await server.leave()).toEqual({ code: 0, signal: null });
      const { json } = await call;
      expect(json).toMatchObject({ status: expect.stringMatching(/error|timeout|cancelled/), recorded: true });
      const next = await started({}, server.home);
      expect((await next.get(`/orchestrator/tasks/${json.task_id}`)).json).toMatchObject({ status: json.status, attempts: 1 });
    });

    it('ends in order while a stream of events waits behind a call on its connection', async () => {
      const server = await started();
      await withDroplet(server);
      const slow = (ms: number) => ({ droplet_name: 'echo', path: `/slow?ms=${ms}` });
      const hits = droplet.hits('/slow');
      const both = await RawConnection.open(server.url);
      both.request('POST', '/tasks', { 'content-type': 'application/json' }, JSON.stringify(slow(1200)));
      both.request('GET', '/tasks/events');
      const others = [300, 500, 700].map((ms) => server.task(slow(ms)));
      await until(() => droplet.hits('/slow') === hits + 4);
      server.process.signal('SIGTERM');
      expect((await Promise.all(others)).map(({ json }) => json.status)).toEqual(['success', 'success', 'success']);
      expect((await both.answer()).json).toMatchObject({ status: 'success', recorded: true });
      expect(await server.process.end()).toEqual({ code: 0, signal: null });
      expect(server.lines.filter((line) => JSON.parse(line).level !== 'info')).toEqual([]);
    });

    it.each([
      ['at once', () => true],
      ['when it opens the database', (home: string) => existsSync(path.join(home, 'data/orchestrator.db.lock'))],
      ['when it has just begun to listen', (_home: string, output: string) => output.includes('listening')],
    ])('can be ended during the start: %s; the next start finds nothing broken', async (_when, isTime) => {
      const server = await spawned();
      await until(() => isTime(server.home, server.process.stdout), 10_000);
      const { code, signal } = await server.leave();
      // Before its first line of code has run, the operating system ends it.
      expect(code ?? signal).toBe(signal === null ? 0 : 'SIGTERM');
      const next = await started({}, server.home);
      expect((await next.get('/orchestrator/health/ready')).status).toBe(200);
    });

    it('is not held up by a silent connection', async () => {
      const port = await freePort();
      const server = await started({ PORT: String(port) });
      const { connect } = await import('node:net');
      const socket = connect(port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      expect(await server.leave()).toEqual({ code: 0, signal: null });
      socket.destroy();
      await expect(new HttpClient(server.url).get('/health')).rejects.toThrow();
    });
  });
});
