import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { until, type HttpAnswer } from './support/http.client.js';
import { OrchestratorProcess, tempFolder } from './support/process.js';
import { reply, TestServer } from './support/server.js';

const METADATA = '169.254.169.254';
const HERE = '127.0.0.1';

describe('a droplet with a name, on a network whose names change', () => {
  const home = tempFolder();
  const file = path.join(home, 'names.json');
  let droplet: TestServer;
  let server: OrchestratorProcess;

  /** What its name resolves to, and that of its twin: a list of addresses for each look-up, in turn. */
  const resolveTo = (...turns: string[][]): void =>
    writeFileSync(file, JSON.stringify({ 'shifty.example': turns, 'flighty.example': turns }));
  const ask = (more: object = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    server.task({ droplet_name: 'shifty', path: '/work', ...more }, headers);
  const connected = (): string[] => server.lines.flatMap((line) => /^connects to (.+)$/.exec(line)?.[1] ?? []);

  beforeAll(async () => {
    // Each call needs a connection of its own, and so a look-up.
    droplet = await TestServer.start((_seen, response) => reply(response, 200, { found: true }, { connection: 'close' }));
    writeFileSync(file, '{}');
    const preload = path.join(import.meta.dirname, 'crash/names.mjs');
    const brisk = { RETRY_JITTER: 'none', RETRY_BACKOFF_BASE_MS: '20', RETRY_BACKOFF_MAX_MS: '40', ASYNC_BACKOFF_BASE_MS: '20' };
    const environment = { ...brisk, NODE_OPTIONS: `--import ${preload}`, NAMES_FILE: file, ASYNC_BACKOFF_MAX_MS: '40' };
    server = await OrchestratorProcess.start(environment, home);
    for (const name of ['shifty', 'flighty'])
      await server.post('/register', { name, url: `http://${name}.example:${droplet.port}` });
  });
  beforeEach(() => {
    droplet.seen.length = 0;
    writeFileSync(file, '{}');
  });
  afterAll(async () => {
    await server.remove();
    await droplet.stop();
  });

  it('that is not known fails, and is found as soon as it is: the task that was waiting succeeds', async () => {
    const { json } = await ask({ max_attempts: 50 }, { prefer: 'respond-async' });
    const record = async (): Promise<any> => (await server.get(`/orchestrator/tasks/${json.task_id}`)).json;
    await until(async () => (await record()).attempts >= 2);
    resolveTo([HERE]);
    const last = await until(async () => {
      const now = await record();
      return now.status === 'success' && now;
    });
    expect(last.response_body).toEqual({ found: true });
    expect(last.history[0]).toMatchObject({ error_code: 'DROPLET_UNREACHABLE', response_status: null });
    expect([last.retry_count, droplet.hits()]).toEqual([last.attempts - 1, 1]);
  });

  it('that moves to another address of this machine is called there', async () => {
    resolveTo(['127.0.0.9', HERE]);
    const { json } = await ask();
    expect([json.status, droplet.hits()]).toEqual(['success', 1]);
  });

  it('that led to a droplet and now leads to a metadata service is not called: one attempt, and the reason', async () => {
    resolveTo([HERE]);
    expect((await ask()).json.status).toBe('success');
    resolveTo([METADATA]);
    const { json } = await ask();
    expect(json).toMatchObject({ status: 'error', attempts: 1, error: { code: 'DROPLET_UNREACHABLE' } });
    expect(json.error.details.reason).toBe('address_refused');
  });

  it.each([
    ['a good address and a metadata service at once', [[HERE, METADATA]]],
    ['a metadata service in IPv6, beside a good address', [[HERE, '::ffff:a9fe:a9fe']]],
  ])('that leads to %s is not called at either', async (_what, turns: string[][]) => {
    resolveTo(...turns);
    const { json } = await ask();
    expect(json.error.details.reason).toBe('address_refused');
    expect(droplet.hits()).toBe(0);
  });

  it('that changes its mind at every look-up is called only when the look-up that counts was good', async () => {
    resolveTo([HERE], [HERE], [METADATA]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask({ droplet_name: 'flighty' })));
    const good = answers.filter(({ json }) => json.status === 'success');
    const refused = answers.filter(({ json }) => json.error?.details.reason === 'address_refused');
    expect([good.length > 0, refused.length > 0, good.length + refused.length]).toEqual([true, true, 40]);
    expect(droplet.hits()).toBe(good.length);
  });

  it('and in all of this no connection to a metadata service was ever begun', () => {
    expect(connected()).toContain(HERE);
    expect(connected().filter((address) => !address.startsWith('127.'))).toEqual([]);
  });
});
