import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { CrashServer } from './crash/crash.server.js';
import { SHORTAGES } from './crash/small.disk.js';
import { orderOf, readTrace, requireStrace, straceTo, type Order } from './crash/strace.js';
import { startDroplet } from './support/droplet.js';
import { until, type HttpAnswer } from './support/http.client.js';
import { NODE, tempFolder, TestProcess } from './support/process.js';
import { reply, type TestServer } from './support/server.js';

const BURST = 10_000;
const CONNECTIONS = 64;
/** What the contract gives a store that fails to say so. */
const REFUSED_WITHIN_MS = 2000;
const ASYNC = { prefer: 'respond-async' };

describe('what is durable', () => {
  let home: string;
  let droplet: TestServer;
  let server: CrashServer | null;

  const submit = (to: CrashServer, headers: Record<string, string> = {}, body: object = {}): Promise<HttpAnswer> =>
    to.task({ droplet_name: 'echo', method: 'POST', path: '/echo', ...body }, headers);
  const register = (to: CrashServer): Promise<HttpAnswer> => to.post('/register', { name: 'echo', url: droplet.url });

  beforeEach(async () => {
    home = tempFolder();
    server = null;
    droplet = await startDroplet();
  });

  afterEach(async () => {
    await server?.process.kill();
    await droplet.stop();
    rmSync(home, { recursive: true, force: true });
  });

  describe('strace', () => {
    beforeAll(requireStrace);

    const orders = async (repliesEarly: boolean): Promise<Order[]> => {
      const trace = path.join(home, 'calls.strace');
      const running = (server = await CrashServer.start(home, { repliesEarly, under: straceTo(trace) }));
      await register(running);
      const asynchronous = await submit(running, ASYNC);
      const synchronous = await submit(running);
      expect([asynchronous.status, synchronous.status]).toEqual([202, 200]);
      // strace itself waits for what it traces.
      running.process.signalGroup('SIGTERM');
      await running.process.end();
      const calls = readTrace(trace);
      return [orderOf(calls, 202, asynchronous.json.task_id), orderOf(calls, 200, synchronous.json.task_id)];
    };

    it('sees a task flushed to the disk before its reply goes to the socket, the 202 as well as the 200', async () => {
      expect(await orders(false)).toEqual([
        { written: true, flushed: true },
        { written: true, flushed: true },
      ]);
    }, 60_000);

    it('sees no such thing in a server that replies before it commits', async () => {
      expect(await orders(true)).toEqual([
        { written: false, flushed: false },
        { written: false, flushed: false },
      ]);
    }, 60_000);
  });

  describe.each(SHORTAGES)('$name', (shortage) => {
    /** Submits until one is refused: the write-ahead log has some room inside. */
    const untilRefused = async (to: CrashServer, accepted: string[]): Promise<HttpAnswer> => {
      for (let sent = 0; sent < 2000; sent++) {
        const start = performance.now();
        const answer = await submit(to, ASYNC, { payload: 'x'.repeat(20_000) });
        expect(performance.now() - start).toBeLessThan(REFUSED_WITHIN_MS);
        if (answer.status !== 202) return answer;
        accepted.push(answer.json.task_id);
      }
      throw new Error('never refused');
    };

    it('refuses asynchronous tasks at once with 503 and no id, keeps its promises, and recovers by itself', async () => {
      const running = (server = await CrashServer.start(home, { under: shortage.under(home) }));
      await register(running);
      const answer = droplet.handler;
      const held: (() => void)[] = [];
      droplet.handler = (seen, response) =>
        seen.url === '/held' ? void held.push(() => reply(response, 200, 'late')) : answer(seen, response);
      const { json: late } = await submit(running, ASYNC, { path: '/held' });
      await until(() => held.length > 0);

      const accepted: string[] = [late.task_id];
      shortage.begin(running);
      const first = await untilRefused(running, accepted);
      const start = performance.now();
      const second = await submit(running, ASYNC, { path: '/echo?refused' });
      expect(performance.now() - start).toBeLessThan(REFUSED_WITHIN_MS);
      for (const { status, json, headers } of [first, second]) {
        expect([status, json.error.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
        expect(json).not.toHaveProperty('task_id');
        expect(headers.get('location')).toBeNull();
        expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
      // The answer comes while there is no room to store it.
      held[0]!();

      shortage.end(running);
      const { json: after } = await until(async () => {
        const again = await submit(running, ASYNC);
        return again.status === 202 ? again : null;
      });
      await running.allFinal();
      const tasks = await running.allTasks();
      expect(tasks.map(({ id }) => id as string).sort()).toEqual([...accepted, after.task_id].sort());
      expect(tasks.filter(({ status }) => status !== 'success')).toEqual([]);
      expect(droplet.hits('/echo?refused')).toBe(0);
      expect(droplet.hits('/held')).toBe(1);
    }, 60_000);
  });

  it(`acknowledges and finishes ${BURST} tasks that come at once`, async () => {
    const running = (server = await CrashServer.start(home, { measuresLoop: true }));
    const script = path.join(import.meta.dirname, 'crash/burst.mjs');
    running.process.signal('SIGUSR2');
    const client = new TestProcess(NODE, [script, running.url, String(BURST), String(CONNECTIONS)], { cwd: home });
    try {
      await until(() => client.lines.length > 0 || client.hasEnded, 120_000);
      running.process.signal('SIGUSR2');
      await client.end(120_000);
    } finally {
      await client.kill();
    }
    await running.allFinal();
    running.process.signal('SIGUSR2');
    const told = await until(() => /(loop delay.*\n?){3}/.exec(running.process.stdout));
    const [, accepting = '', calling = ''] = told[0].split('\n');
    process.stdout.write(`burst: ${client.lines.join(' ')}\n  accepting: ${accepting}\n  calling the rest: ${calling}\n`);

    const [posted, called] = client.lines.map((line) => JSON.parse(line));
    expect(posted).toMatchObject({ acknowledged: BURST, refused: {} });
    expect(called).toMatchObject({ called: BURST, lost: 0 });
    expect((await running.get('/tasks?status=success&limit=1')).json.total).toBe(BURST);
    expect((await running.get('/tasks?limit=1')).json.total).toBe(BURST);
  }, 300_000);
});
