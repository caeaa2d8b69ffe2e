import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BRISK, Cluster } from './support/cluster.js';
import { startDroplet } from './support/droplet.js';
import { until, type HttpAnswer, type HttpClient } from './support/http.client.js';
import { TestOrchestrator } from './support/orchestrator.js';
import type { TestServer } from './support/server.js';
import { sharedPostgres } from './support/shared.postgres.js';
import { expectError } from './support/udc.error.js';

/** JSON texts that something on the way to a store and back could change. */
const AWKWARD: [string, string][] = [
  [
    'numbers that JavaScript cannot keep',
    '{"n":12345678901234567890,"m":1e400,"d":0.1000000000000000055511151231257827,"z":-0,"e":1E2}',
  ],
  ['NUL and lone surrogates', String.raw`{"nul":"a\u0000b","high":"\ud800","low":"\udc00","pair":"\ud83d\ude00"}`],
  ['spaces, escapes and the order of keys', String.raw`{ "2" : 1 , "1" : 2, "\u0061": "\/", "b\"":"\\" }`],
  ['text of every kind', '{"ü":"ß 漢字 😀","line":"a\\nb\\tc"}'],
  ['a string', '"just \\u0000 text"'],
  ['a number', '9007199254740993'],
];

/** What differs by nature: who is asked, when, and which task. */
const OWN = 'id|task_id|next_cursor|total|created_at|completed_at|started_at|run_at|duration_ms|target_url|endpoint';

describe('a task stored in PostgreSQL and one in SQLite', () => {
  let cluster: Cluster;
  let single: TestOrchestrator;
  let droplet: TestServer;

  beforeAll(async () => {
    [cluster, single, droplet] = await Promise.all([Cluster.start(), TestOrchestrator.start(BRISK), startDroplet()]);
    await single.post('/register', { name: 'echo', url: droplet.url });
    // What was sent comes back as it was.
    for (const server of [cluster.droplet, droplet]) {
      server.handler = ({ url, body }, response) => {
        const code = Number(new URL(url, server.url).searchParams.get('code') ?? 200);
        response.writeHead(code, { 'content-type': 'application/json' }).end(body);
      };
    }
  });
  afterAll(async () => {
    await Promise.all([cluster.stop(), single.stop()]);
    await droplet.stop();
    await (await sharedPostgres()).stop();
  });

  /** The text of an answer, with what differs by nature left out. */
  const bare = (text: string): string => text.replace(new RegExp(`"(${OWN})":("[^"]*"|[\\d.]+)`, 'g'), '"$1":0');
  const body = (payload: string, more: string): string =>
    `{"droplet_name":"Echo","method":"POST","path":"/x${more}","payload":${payload},"meta":{"lone":"\\ud800","nul":"a\\u0000b","ü":"\\"\\\\"},"headers":{"x-a":"b"},"max_attempts":2}`;
  const submit = (to: HttpClient, text: string, headers: Record<string, string>): Promise<HttpAnswer> =>
    to.request('POST', '/orchestrator/tasks', text, headers);
  const finished = (at: HttpClient, id: string): Promise<string> =>
    until(async () => {
      const { text, json } = await at.get(`/orchestrator/tasks/${id}`);
      return ['success', 'error'].includes(json.status) ? text : null;
    }, 15_000);

  /** All texts that clients see of a task: its reply, its record, the list's item, and what its droplet was sent. */
  async function texts([taker, reader, server]: readonly [HttpClient, HttpClient, TestServer], text: string, headers = {}) {
    server.seen.length = 0;
    const answer = await submit(taker, text, headers);
    const record = await finished(reader, answer.json.task_id);
    const list = await reader.get('/orchestrator/tasks?limit=1');
    const sent = server.seen.map((call) => call.body);
    return { status: answer.status, reply: bare(answer.text), record: bare(record), list: bare(list.text), sent };
  }

  describe.each([
    ['synchronous', {}],
    ['with an Idempotency-Key', { 'idempotency-key': '' }],
    ['asynchronous', { prefer: 'respond-async' }],
  ])('%s', (kind, headers) => {
    it.each(AWKWARD)('is the same in every byte: %s', async (what, payload) => {
      for (const more of ['', '?code=503']) {
        const key = encodeURIComponent(`${kind} ${what} ${more}`);
        const own: Record<string, string> = 'idempotency-key' in headers ? { 'idempotency-key': key } : headers;
        const inPostgres = await texts([cluster.replica(0), cluster.replica(1), cluster.droplet], body(payload, more), own);
        const inSqlite = await texts([single, single, droplet], body(payload, more), own);
        expect(inPostgres).toEqual(inSqlite);
        // And both are what was sent, not the same mistake twice.
        expect(inPostgres.record).toContain(`"response_body":${inPostgres.sent[0]}`);
        expect(inPostgres.record).toContain(String.raw`"meta":{"lone":"\ud800","nul":"a\u0000b","ü":"\"\\"}`);
      }
    });
  });

  it('is replayed with the same bytes by another replica', async () => {
    for (const [index, [, payload]] of AWKWARD.entries()) {
      const key = { 'idempotency-key': `replayed-${index}` };
      const first = await submit(cluster.replica(0), body(payload, ''), key);
      const again = await submit(cluster.replica(1), body(payload, ''), key);
      expect([again.headers.get('idempotency-replayed'), again.text]).toEqual(['true', first.text]);
    }
  });

  it('is found by awkward meta on both', async () => {
    const meta = { 'a.b': 'c=d', found: 'a\u0000b', 'ü ': '' };
    for (const at of [cluster.replica(0), single]) {
      const { json } = await at.task({ droplet_name: 'echo', path: '/x', meta });
      for (const query of ['meta.a.b=c%3Dd', 'meta.found=a%00b', 'meta.%C3%BC%20=', 'meta.found=a%00b&meta.a.b=c%3Dd']) {
        const { tasks } = (await (at === single ? at : cluster.replica(2)).get(`/orchestrator/tasks?${query}`)).json;
        expect([query, tasks.map(({ id }: any) => id)]).toEqual([query, [json.task_id]]);
      }
    }
  });

  it('is not listed under a status with NUL by either', async () => {
    for (const at of [cluster.replica(0), single]) {
      await at.task({ droplet_name: 'echo', path: '/x' });
      const { status, json } = await at.get('/orchestrator/tasks?status=success%00');
      expect([status, json]).toMatchObject([200, { tasks: [], total: 0 }]);
    }
  });

  it('is not found by its id in upper case on either, whatever is asked', async () => {
    for (const at of [cluster.replica(0), single]) {
      const { json } = await at.task({ droplet_name: 'echo', path: '/x?code=400' });
      const path = `/orchestrator/tasks/${json.task_id.toUpperCase()}`;
      expectError(await at.get(path), 404, 'TASK_NOT_FOUND');
      expectError(await at.request('DELETE', path), 404, 'TASK_NOT_FOUND');
      expectError(await at.post(`${path}/retry`), 404, 'TASK_NOT_FOUND');
    }
  });
});
