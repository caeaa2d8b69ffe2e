import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startDroplet } from './support/droplet.js';
import { until } from './support/http.client.js';
import { bearer, KeyFile, sha256 } from './support/keys.js';
import { OrchestratorProcess } from './support/process.js';
import { RawConnection } from './support/raw.client.js';
import type { TestServer } from './support/server.js';

const SECRETS = [
  'hunter2-of-ann',
  'hunter2-of-root',
  'hunter2-of-nobody',
  'hunter2-in-the-query',
  'hunter2-in-the-path',
  'hunter2-of-the-droplet',
];
const ann = bearer('hunter2-of-ann');

let file: KeyFile;
let droplet: TestServer;
let server: OrchestratorProcess;

beforeAll(async () => {
  droplet = await startDroplet();
  file = new KeyFile([
    { key: 'hunter2-of-ann', name: 'ann', scopes: ['tasks:write', 'tasks:read'] },
    { key: 'hunter2-of-root', name: 'root', scopes: ['admin'] },
  ]);
  server = await OrchestratorProcess.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: file.path, LOG_LEVEL: 'trace' });
  await server.post('/register', { name: 'slow', url: droplet.url }, bearer('hunter2-of-root'));
});

afterAll(async () => {
  await server.remove();
  await droplet.stop();
  rmSync(file.folder, { recursive: true, force: true });
});

const objects = (): any[] => server.lines.map((line) => JSON.parse(line));

/** The audit's line of a request. */
const lineOf = (requestId: string): Promise<any> =>
  until(() => objects().find(({ msg, request_id }) => request_id === requestId && String(msg).startsWith('audit')));

describe('the audit', () => {
  it.each([
    ['a write', 'POST', '/orchestrator/tasks', ann, { level: 'info', caller: 'ann', route: '/tasks', status: 200 }],
    [
      'a write that failed',
      'DELETE',
      '/tasks/hunter2-in-the-path',
      ann,
      { level: 'info', caller: 'ann', route: '/tasks/:id', status: 404 },
    ],
    ['nobody', 'GET', '/tasks?key=hunter2-in-the-query', {}, { level: 'warn', caller: null, route: '/tasks', status: 401 }],
    ['a wrong key', 'POST', '/tasks', bearer('hunter2-of-nobody'), { level: 'warn', caller: null, route: '/tasks', status: 401 }],
    [
      'a caller who may not',
      'POST',
      '/droplets/hunter2-in-the-path/pause',
      ann,
      { level: 'warn', caller: 'ann', route: '/droplets/:key/pause', status: 403 },
    ],
  ])('has one line of %s, with the route and nothing that was sent', async (_what, method, url, headers, expected) => {
    const id = `audit-${method}-${expected.status}-${Object.keys(headers).length}`;
    const body =
      method === 'POST'
        ? { droplet_name: 'orchestrator', path: '/health', headers: { Authorization: 'hunter2-of-the-droplet' } }
        : undefined;
    const { status } = await server.request(method, url, body, { ...headers, 'x-request-id': id });
    expect(status).toBe(expected.status);
    const line = await lineOf(id);
    expect(line).toEqual({
      ...expected,
      method,
      request_id: id,
      time: expect.any(String),
      msg: expect.stringMatching(/^audit: (write|refused)$/),
    });
    expect(objects().filter(({ msg, request_id }) => request_id === id && String(msg).startsWith('audit'))).toHaveLength(1);
  });

  it.each<[string, string, object]>([
    ['a write', 'hunter2-of-ann', { level: 'info', caller: 'ann', status: 200, msg: 'audit: write' }],
    ['a refusal', 'hunter2-of-nobody', { level: 'warn', caller: null, status: 401, msg: 'audit: refused' }],
  ])('has one line of %s whose caller has hung up', async (what, key, expected) => {
    const id = `hung-up-${what.replace(' ', '-')}`;
    const connection = await RawConnection.open(server.url);
    const slow = JSON.stringify({ droplet_name: 'slow', path: '/slow?ms=500' });
    const type = { 'content-type': 'application/json', 'x-request-id': id };
    const hits = droplet.hits('/slow');
    connection.request('POST', '/tasks', { ...bearer(key), ...type }, slow);
    if (key === 'hunter2-of-ann') await until(() => droplet.hits('/slow') > hits);
    connection.destroy();
    expect(await lineOf(id)).toMatchObject({ ...expected, method: 'POST', route: '/tasks' });
    await server.get('/orchestrator/health');
    expect(objects().filter(({ msg, request_id }) => request_id === id && String(msg).startsWith('audit'))).toHaveLength(1);
  });

  it('has none of what is only read', async () => {
    await server.get('/orchestrator/tasks', { ...ann, 'x-request-id': 'only-read' });
    await server.get('/orchestrator/health', { 'x-request-id': 'only-looked' });
    await until(() => objects().some(({ msg, request_id }) => request_id === 'only-looked' && msg === 'request answered'));
    expect(
      objects().filter(({ msg, request_id }) => String(request_id).startsWith('only-') && String(msg).startsWith('audit')),
    ).toEqual([]);
  });
});

describe('a key', () => {
  it('is in no log line, no answer, no figure and no file, nor is its digest', async () => {
    const answers = await Promise.all(
      ['/tasks', '/metrics', '/metrics/prometheus', '/health', '/tasks/hunter2'].map((url) => server.get(url, ann)),
    );
    server.process.signal('SIGTERM');
    await server.process.end();
    const folder = path.join(server.home, 'data');
    const stored = readdirSync(folder).map((name) => readFileSync(path.join(folder, name)).toString('latin1'));
    expect(stored.some((text) => text.includes('orchestrator'))).toBe(true);
    const everything = [
      ...server.lines,
      ...answers.map(({ text }) => text.replaceAll("Task 'hunter2' not found", '')),
      ...stored,
    ].join('\n');
    for (const secret of [...SECRETS, ...SECRETS.map(sha256)]) expect(everything.includes(secret)).toBe(false);
  });
});
