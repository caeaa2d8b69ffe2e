import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { commandLine, type Ran, type Surroundings } from './support/command.line.js';
import { until } from './support/http.client.js';
import { KeyFile } from './support/keys.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { nodeTwenty, sayUntested } from './support/node.twenty.js';
import { NODE, ROOT, tempFolder, TestProcess } from './support/process.js';
import { freePort, reply, TestServer } from './support/server.js';
import { TaskMesh } from './support/task.mesh.js';

const CLI = path.join(ROOT, 'dist/cli.js');
const NOBODY = '01a2087f-b6b9-760a-9e3a-019a530b8572';
/** Every command, as its help is asked for. */
const COMMANDS = [
  ...['', 'serve', 'submit', 'tasks', 'task', 'watch', 'cancel', 'retry', 'droplets', 'bench'],
  ...['droplets pause', 'droplets resume', 'droplets breaker', 'droplets add', 'droplets remove'],
];

/** What must not reach a terminal from outside. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u009b31mred\u202e';

/** All of that but the end of a line. */
const UNSAFE = /(?!\n)\p{Cc}|\u202e/u;

let mesh: TaskMesh;
let folder: string;

const cli = (args: string, around: Surroundings = {}): Promise<Ran> =>
  commandLine(
    args.split(' ').filter((word) => word !== ''),
    { ...around, environment: { ORCHESTRATOR_URL: mesh.orchestrator.url, ...around.environment } },
  );
const file = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
const lines = (text: string): any[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  mesh = await TaskMesh.start();
  folder = tempFolder();
});
afterAll(async () => {
  await mesh.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('help and wrong usage', () => {
  it.each(COMMANDS)('%s --help says what it does, with its options', async (command) => {
    const { code, stdout, stderr } = await cli(`${command} --help`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: orchestrator ${command}`.trim());
    const words = command.split(' ').length;
    if (words === 1) expect(stdout).toMatch(/Examples?:|A first task:/);
    expect(stdout).toContain('--json');
  });

  it('says the version, and all exit codes', async () => {
    expect(await cli('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
    expect((await cli('--help')).stdout).toMatch(/Exit codes:\n {2}0 [\s\S]*\n {2}130 /);
  });

  it.each([
    ['frobnicate', /unknown command/],
    ['tasks extra', /too many arguments/],
    ['submit --wiat', /Did you mean --wait/],
    ['tasks --status bogus', /queued, running, success/],
    ['tasks --limit 0', /from 1 to 1000/],
    ['tasks --after yesterdayish', /10m/],
    ['submit echo GET', /a droplet, a method and a path/],
    ['submit echo GET /x --delay 5', /500ms, 2s/],
    ['submit echo GET /x --data {', /no JSON.*its quotes/],
    ['submit echo GET /x --data @/nowhere/at/all', /cannot be read/],
    ['submit echo GET /x --header x', /Name: value/],
    ['submit echo GET /x --meta x', /key=value/],
    ['submit echo GET /x --file f', /leave out the other arguments/],
    ['submit --file /dev/zero', /over 512 MiB: split it/],
    ['submit --file f --attempt-timeout 1s', /leave out the other arguments/],
    ['submit --file f --max-attempts 2', /leave out the other arguments/],
    ['submit --file f --no-retry-unsafe', /leave out the other arguments/],
    ['submit --file /nowhere/at/all', /cannot be read/],
    ['cancel 1 ..', /Give an id or a name/],
    ['droplets pause .', /Give an id or a name/],
    ['retry', /ids, or --status/],
    ['retry --limit 5', /Say which/],
    ['droplets breaker echo', /--state/],
    ['bench --time 0s', /Give a time from 1ms to 10m/],
    ['bench --time 11m', /Give a time from 1ms to 10m/],
    ['serve --port 99999', /from 1 to 65535/],
    ['tasks --url ftp://x', /looks like http:\/\/localhost:8001/],
  ])('orchestrator %s is told why, and what to do', async (args, why) => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/See 'orchestrator .*--help'\n$/);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });
});

describe('what goes wrong', () => {
  /** Two lines, no stack, nothing on stdout. */
  const expectTold = ({ code, stdout, stderr }: Ran, expected: number, advice: RegExp): void => {
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(advice);
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(stderr).not.toContain('    at ');
  };

  it('nothing listens', async () => {
    const environment = { ORCHESTRATOR_URL: `http://127.0.0.1:${await freePort()}` };
    expectTold(await cli('tasks', { environment }), 3, /Nothing listens at .*\n.*'orchestrator serve', or set ORCHESTRATOR_URL/);
  });

  it('a connection that is lost on the way', async () => {
    const deaf = await TestServer.start((_seen, response) => void response.destroy());
    const environment = { ORCHESTRATOR_URL: deaf.url };
    try {
      expectTold(
        await cli('submit echo POST /echo', { environment }),
        3,
        /No answer.*\n.*'orchestrator tasks' whether it was done/,
      );
      expectTold(await cli('droplets pause other', { environment }), 3, /No answer.*\n.*'orchestrator droplets' whether/);
      expectTold(await cli('tasks', { environment }), 3, /No answer.*\n.*set ORCHESTRATOR_URL/);
    } finally {
      await deaf.stop();
    }
  });

  it.each([
    ['submit nobody GET /', 4, /Known: .*Echo.*\n?.*/],
    ['submit echo GET nopath', 4, /path: .*\n.*orchestrator submit --help/],
    [`task ${NOBODY}`, 4, /orchestrator tasks/],
    [`retry ${NOBODY}`, 4, /orchestrator tasks/],
    ['droplets nobody', 4, /orchestrator droplets/],
    ['droplets add new http://localhost:1', 4, /orchestrator droplets/],
  ] as const)('orchestrator %s', async (args, code, advice) => expectTold(await cli(args), code, advice));

  it('a task that is over cannot be cancelled', async () => {
    const { json } = await mesh.ask('/health');
    expectTold(await cli(`cancel ${json.task_id}`), 4, /CONFLICT.*\n.*orchestrator task ID/);
  });

  it('another request with the same key', async () => {
    await cli('submit echo POST /echo --key k1 --data 1');
    expectTold(await cli('submit echo POST /echo --key k1 --data 2'), 4, /another --key/);
  });

  it('a droplet that is paused', async () => {
    await cli('droplets pause other');
    expectTold(await cli('submit other GET /health'), 5, /droplets resume Other/i);
    expect((await cli('droplets resume other')).code).toBe(0);
  });

  it('a key that is missing, wrong or too weak', async () => {
    const keys = new KeyFile([{ key: 'weak', name: 'me', scopes: ['tasks:read'] }]);
    const server = await TestOrchestrator.start({ AUTH_MODE: 'apikey', API_KEYS_FILE: keys.path });
    const as = (args: string, key = ''): Promise<Ran> =>
      cli(args, { environment: { ORCHESTRATOR_URL: server.url, ORCHESTRATOR_KEY: key } });
    expectTold(await as('tasks'), 4, /Set ORCHESTRATOR_KEY to your key/);
    expectTold(await as('tasks', 'wrong'), 4, /does not take this one/);
    expectTold(await as('droplets', 'weak'), 4, /a key that may do this/);
    expect((await as('tasks', 'weak')).code).toBe(0);
    await server.stop();
  });

  it.each([
    [
      '429 with Retry-After',
      429,
      { status: 'error', error: { code: 'RATE_LIMITED', message: 'slow', details: null } },
      5,
      /in 7 s/,
    ],
    ['500', 500, { status: 'error', error: { code: 'INTERNAL_ERROR', message: 'oops', details: null } }, 6, /request id the-id/],
    ['a page of another server', 200, '<html>', 6, /Is .* an orchestrator/],
    [
      'words that a terminal would obey',
      404,
      { error: { code: 'NOT_FOUND', message: HOSTILE, details: null } },
      4,
      /error: .*owned/,
    ],
  ] as const)('an answer of %s', async (_what, status, body, code, advice) => {
    const headers = { 'retry-after': '7', 'x-request-id': 'the-id' };
    const other = await TestServer.start((_seen, response) => reply(response, status, body, headers));
    const ran = await cli('tasks', { environment: { ORCHESTRATOR_URL: other.url } });
    expectTold(ran, code, advice);
    expect(ran.stderr).not.toMatch(UNSAFE);
    await other.stop();
  });

  it('serve on a Node that is too old', async () => {
    const { code, stderr } = await cli('serve', { nodeVersion: '20.20.2' });
    expect([code, stderr.trim().split('\n').length]).toEqual([7, 1]);
    expect(stderr).toMatch(/needs Node 24 or newer, and this is 20\.20\.2/);
  });
});

describe('submit', () => {
  it('prints the reply as it is, with every digit', async () => {
    const { code, stdout } = await cli('submit echo GET /body?text=[9007199254740993,1.0,1e400]');
    expect(code).toBe(0);
    expect(stdout).toContain('"response_body":[9007199254740993,1.0,1e400]}\n');
  });

  it('sends what it is told to', async () => {
    const data = file('payload.json', '{"n":9007199254740993}\n');
    const args = `submit echo post /echo?sent --data @${data} --meta a=b=c --meta d=e --max-attempts 2 --timeout 5s --no-retry-unsafe`;
    const { code, stdout } = await commandLine([...args.split(' '), '--header', 'X-Note: two words'], {
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    expect(code).toBe(0);
    const seen = mesh.echo.seen.find(({ url }) => url === '/echo?sent');
    expect([seen?.method, seen?.body, seen?.headers['x-note']]).toEqual(['POST', '{"n":9007199254740993}', 'two words']);
    expect((await mesh.record(JSON.parse(stdout).task_id)).meta).toEqual({ a: 'b=c', d: 'e' });
  });

  it('reads a payload from stdin', async () => {
    await cli('submit echo POST /echo?stdin --data -', { stdin: '"piped"' });
    expect(mesh.echo.seen.find(({ url }) => url === '/echo?stdin')?.body).toBe('"piped"');
  });

  it.each(['submit echo POST /echo --data -', 'submit --file -'])('ends on Ctrl-C while it reads stdin: %s', async (args) => {
    const stop = new AbortController();
    const reading = cli(args, { stdin: null, interrupted: stop.signal });
    stop.abort();
    expect(await reading).toEqual({ code: 130, stdout: '', stderr: '' });
  });

  it('tells by its exit code how the task ended', async () => {
    expect((await cli('submit echo GET /status?code=404')).code).toBe(1);
    expect((await cli('submit echo GET /status?code=404 --async')).code).toBe(0);
    expect((await cli('submit echo GET /status?code=404 --async --wait')).code).toBe(1);
    expect((await cli('submit echo GET /health --async --wait 10s')).code).toBe(0);
    const late = await cli('submit echo GET /health --delay 1h --wait 10ms');
    expect([late.code, JSON.parse(late.stdout).status]).toEqual([5, 'queued']);
  });

  it('shows people the outcome, the reason and the body, and no colour where none is wanted', async () => {
    const { stdout } = await cli('submit echo GET /body?text={"n":9007199254740993} --no-json');
    expect(stdout).toMatch(/^success {2}echo GET .* 200 after 1 attempt, .*\n\{\n {2}"n": 9007199254740993\n\}\n$/);
    const bad = await cli('submit echo GET /status?code=404', { columns: 80 });
    expect(bad.stdout).toContain('\u001b[31merror\u001b[39m');
    expect(bad.stdout).toMatch(/DROPLET_ERROR: .*404.*took no effect[\s\S]*run it again with 'orchestrator retry [\w-]+'/);
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect((await cli('submit echo GET /health', { columns: 80, environment })).stdout).not.toContain('\u001b');
  });

  it('obeys nothing that a droplet says', async () => {
    const { handler } = mesh.echo;
    mesh.echo.handler = (_seen, response) => reply(response, 200, HOSTILE, { 'content-type': 'text/plain' });
    const { stdout } = await cli('submit echo GET /hostile --no-json');
    mesh.echo.handler = handler;
    expect(stdout).toContain('owned');
    expect(stdout).not.toMatch(UNSAFE);
  });
});

describe('submit --file', () => {
  const task = (path: string, droplet = 'other'): string => `{"droplet_name":"${droplet}","path":"${path}"}`;

  it('tells of every line, and waits when asked to', async () => {
    const name = file('good.jsonl', [task('/health'), '', task('/status?code=404')].join('\r\n'));
    const accepted = await cli(`submit --file ${name}`);
    expect([accepted.code, lines(accepted.stdout).map(({ line, status }) => [line, status])]).toEqual([
      0,
      [
        [1, 'queued'],
        [3, 'queued'],
      ],
    ]);
    const waited = await cli(`submit --file ${name} --wait`);
    expect([waited.code, lines(waited.stdout).map(({ line, status }) => [line, status])]).toEqual([
      1,
      [
        [1, 'success'],
        [3, 'error'],
      ],
    ]);
    expect(waited.stderr).toBe('2 tasks: 1 success, 1 error\n');
  });

  it('names bad lines, and then sends nothing', async () => {
    const name = file('bad.jsonl', [task('/never-sent'), 'oops', '[1]'].join('\n'));
    const { code, stdout, stderr } = await cli(`submit --file ${name}`);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/Nothing was sent; line 2: .*; line 3: is no JSON object/);
    expect(mesh.other.hits('/never-sent')).toBe(0);
  });

  it('fails when some are refused, and says which', async () => {
    const name = file('partly.jsonl', [task('/health'), task('/', 'nobody')].join('\n'));
    const { code, stdout, stderr } = await cli(`submit --file ${name} --no-json`);
    expect([code, stdout]).toEqual([4, "line 2: refused  Droplet 'nobody' not found (DROPLET_NOT_FOUND)\n"]);
    expect(stderr).toMatch(/^2 tasks: 1 queued, 1 refused\nPut the refused lines right, and submit .*\n$/);
  });

  it('does not say from where to go on when nobody knows whether a batch arrived', async () => {
    const deaf = await TestServer.start((_seen, response) => void response.destroy());
    const name = file('lost.jsonl', [task('/health'), task('/health')].join('\n'));
    const environment = { ORCHESTRATOR_URL: deaf.url };
    const lost = await cli(`submit --file ${name}`, { environment });
    await deaf.stop();
    expect([lost.code, lost.stderr]).toEqual([3, expect.stringContaining('Whether lines 1 to 2 arrived is not known')]);
    const refused = await cli(`submit --file ${name}`, { environment });
    expect([refused.code, refused.stderr]).toEqual([3, expect.not.stringContaining('arrived')]);
  });

  /** Accepts every task of a batch as t1, t2 and so on; how a record is answered is the test's. */
  const accepting = async (answer: (id: string, looks: number, response: ServerResponse) => void): Promise<TestServer> => {
    const looks = new Map<string, number>();
    return TestServer.start(({ url, body }, response) => {
      const id = url.split('/').at(-1) ?? '';
      looks.set(id, (looks.get(id) ?? 0) + 1);
      if (id !== 'batch') return answer(id, looks.get(id) ?? 0, response);
      const results = JSON.parse(body).tasks.map((_: unknown, index: number) => ({ task_id: `t${index + 1}`, status: 'queued' }));
      reply(response, 207, { results, accepted: results.length, rejected: 0 });
    });
  };
  const statuses = ({ stdout }: Ran): string[] => lines(stdout).map(({ task_id, status }) => `${task_id} ${status}`);

  it('tells what it knows when Ctrl-C ends the wait, or the connection is lost', async () => {
    const name = file('half.jsonl', [task('/health'), task('/health')].join('\n'));
    const stop = new AbortController();
    const server = await accepting((id, looks, response) => {
      if (id === 't2' && looks === 3) stop.abort();
      reply(response, 200, { id, status: id === 't1' ? 'success' : 'running' });
    });
    const environment = { ORCHESTRATOR_URL: server.url };
    const ended = await cli(`submit --file ${name} --wait`, { environment, interrupted: stop.signal });
    expect([ended.code, statuses(ended)]).toEqual([130, ['t1 success', 't2 queued']]);
    server.handler = ((handler) => (seen, response) => {
      if (seen.url.endsWith('/t2')) response.destroy();
      else handler(seen, response);
    })(server.handler);
    const lost = await cli(`submit --file ${name} --wait`, { environment });
    expect([lost.code, statuses(lost)]).toEqual([3, ['t1 success', 't2 queued']]);
    await server.stop();
  });

  it('takes a file of very many lines', async () => {
    const server = await accepting(() => undefined);
    const { code, stderr } = await cli('submit --file - --no-json', {
      stdin: '{}\n'.repeat(200_000),
      environment: { ORCHESTRATOR_URL: server.url },
    });
    expect([code, stderr]).toEqual([0, '200000 tasks: 200000 queued\n']);
    await server.stop();
  });

  it('tells of the batches that were accepted when a later one is lost', async () => {
    const server = await accepting((id, _looks, response) => reply(response, 200, { id, status: 'success' }));
    const { handler } = server;
    server.handler = (seen, response) => {
      if (server.hits() > 1) response.destroy();
      else handler(seen, response);
    };
    const stdin = Array.from({ length: 1001 }, () => task('/health')).join('\n');
    const lost = await cli('submit --file - --wait', { stdin, environment: { ORCHESTRATOR_URL: server.url } });
    expect([lost.code, lines(lost.stdout).length]).toEqual([3, 1000]);
    await server.stop();
  });

  it('says from where to go on when Ctrl-C comes between two batches', async () => {
    const server = await accepting(() => undefined);
    const stop = new AbortController();
    const { code, stdout, stderr } = await cli('submit --file -', {
      stdin: Array.from({ length: 1001 }, () => task('/health')).join('\n'),
      environment: { ORCHESTRATOR_URL: server.url },
      interrupted: stop.signal,
      onWritten: () => stop.abort(),
    });
    expect([code, lines(stdout).length, server.hits()]).toEqual([130, 1000, 1]);
    expect(stderr).toBe('Everything before line 1001 was handed over: go on with --from-line 1001\n1000 tasks: 1000 queued\n');
    await server.stop();
  });

  it('looks later when the server is busy, and lets one purged record spoil no other', async () => {
    const name = file('busy.jsonl', [task('/health'), task('/health')].join('\n'));
    const failure = (code: string) => ({ error: { code, message: 'no', details: null } });
    const server = await accepting((id, looks, response) => {
      if (id === 't1') return reply(response, 404, failure('TASK_NOT_FOUND'));
      if (looks > 2) return reply(response, 200, { id, status: 'success' });
      reply(response, looks === 1 ? 429 : 503, failure('OVERLOADED'), { 'retry-after': '0' });
    });
    const waited = await cli(`submit --file ${name} --wait`, { environment: { ORCHESTRATOR_URL: server.url } });
    expect([waited.code, statuses(waited)]).toEqual([5, ['t1 queued', 't2 success']]);
    expect(waited.stderr).toContain('line 1: how it ended is not known');
    await server.stop();
  });

  it('takes more than one request holds, from stdin, with a bar on a terminal, and begins where it is told', async () => {
    const stdin = Array.from({ length: 1002 }, () => task('/health')).join('\n');
    const { code, stderr } = await cli('submit --file - --from-line 2', { stdin, columns: 80 });
    expect(code).toBe(0);
    expect(stderr).toMatch(/handing over \[.*1001\/1001/);
    expect(stderr).toContain('1001 tasks: 1001 queued');
  });
});

describe('tasks, task, cancel, retry', () => {
  it('lists what fits: a page as it came, or every page', async () => {
    for (let index = 0; index < 3; index++)
      await mesh.orchestrator.task({ droplet_name: 'other', path: '/health', meta: { run: 'list' } });
    const page = await cli('tasks --meta run=list --droplet OTHER --status success --after 1h --before 2100-01-01 --limit 2');
    expect([page.code, lines(page.stdout).length, JSON.parse(page.stdout).tasks.length]).toEqual([0, 1, 2]);
    const all = await cli('tasks --meta run=list --limit 2 --all');
    expect(lines(all.stdout).map(({ tasks }) => tasks.length)).toEqual([2, 1]);
    const rest = await cli(`tasks --meta run=list --cursor ${JSON.parse(page.stdout).next_cursor}`);
    expect(JSON.parse(rest.stdout).tasks).toHaveLength(1);
  });

  it.each([60, 100, 200])('fits its table into %d columns, and keeps the ids whole', async (columns) => {
    const { json } = await mesh.orchestrator.task({ droplet_name: 'other', path: `/health?${'long'.repeat(60)}` });
    const { stdout } = await cli('tasks --limit 1', { columns, environment: { NO_COLOR: '1' } });
    const [head = '', row = ''] = stdout.split('\n');
    expect(head).toMatch(/^ID +STATUS +DROPLET +REQUEST/);
    expect(row).toContain(json.task_id);
    expect(row).toContain('…');
    if (columns >= 100) expect(row.length).toBeLessThanOrEqual(columns);
  });

  it('shows the attempts of a task as a time line', async () => {
    const id = await mesh.queue('/flaky?fail=2&line', { droplet_name: 'other' });
    const { code, stdout } = await cli(`task ${id} --wait --no-json`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ATTEMPT +WHEN +WAITED +TOOK +ANSWER/);
    expect(stdout.match(/^[123] +·*█+ .*(503 DROPLET_ERROR|200)$/gm)).toHaveLength(3);
    expect(JSON.parse((await cli(`task ${id}`)).stdout).history).toHaveLength(3);
  });

  it('cancels many, whatever becomes of one of them', async () => {
    const ids = [await mesh.queue('/x', { delay_ms: 3_600_000 }), await mesh.queue('/x', { delay_ms: 3_600_000 })];
    const { code, stdout, stderr } = await cli(`cancel ${ids[0]} ${NOBODY} ${ids[1]}`);
    expect([code, lines(stdout).map(({ id, status }) => [id, status])]).toEqual([4, ids.map((id) => [id, 'cancelled'])]);
    expect(stderr).toContain(NOBODY);
    const again = await cli(`retry ${ids[0]} --no-json`);
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^queued {2}echo GET \/x/)]);
  });

  it.each(['cancel', 'retry'])('%s says what it has left undone when it is stopped on the way', async (command) => {
    const stop = new AbortController();
    const server = await TestServer.start(({ url }, response) => {
      if (/\/a\b/.test(url)) return reply(response, 200, { id: 'a', status: 'cancelled' });
      if (/\/b\b/.test(url)) return stop.abort();
      response.destroy();
    });
    const around = { environment: { ORCHESTRATOR_URL: server.url } };
    const ended = await cli(`${command} a b c d`, { ...around, interrupted: stop.signal });
    expect([ended.code, ended.stderr]).toEqual([
      ...[
        130,
        `Whether b was done is not known: see 'orchestrator task b'\nNot done: go on with 'orchestrator ${command} c d'\n`,
      ],
    ]);
    const lost = await cli(`${command} a c d`, around);
    expect([lost.code, lines(lost.stdout).length]).toEqual([3, 1]);
    expect(lost.stderr).toMatch(/^Whether c was .*\nNot done: go on with 'orchestrator \w+ d'\nerror: /);
    await server.stop();
    const never = await cli(`${command} a b`, around);
    expect([never.code, never.stderr]).toEqual([3, expect.stringMatching(/^Not done: .* a b'\nerror: Nothing listens/)]);
  });

  it('retries all that fit', async () => {
    await mesh.orchestrator.task({ droplet_name: 'other', path: '/status?code=410', meta: { run: 'many' } });
    const { code, stdout } = await cli('retry --status error --droplet other --after 1h --rate 100 --limit 1');
    expect([code, stdout]).toEqual([0, '{"scheduled":1}\n']);
  });
});

describe('watch', () => {
  it('follows one task to its end, and tells by its exit code how it ended', async () => {
    const id = await mesh.queue('/flaky?fail=1&watch', { droplet_name: 'other', delay_ms: 300 });
    const { code, stdout } = await cli(`watch ${id}`);
    expect([code, lines(stdout).at(0).status, lines(stdout).at(-1).status]).toEqual([0, 'queued', 'success']);
    expect(new Set(lines(stdout).map((event) => event.id))).toEqual(new Set([id]));
    const failed = await mesh.orchestrator.task({ droplet_name: 'other', path: '/status?code=404' });
    expect((await cli(`watch ${failed.json.task_id} --no-json`)).code).toBe(1);
  });

  it('follows all that fit until Ctrl-C', async () => {
    const stop = new AbortController();
    const watching = cli('watch --status error --droplet other', { interrupted: stop.signal });
    // What happens before the stream is open is not told of.
    await until(async () => {
      await mesh.orchestrator.task({ droplet_name: 'other', path: '/status?code=404' });
      return (await mesh.list('?droplet_name=other&status=error')).total > 4;
    });
    stop.abort();
    const { code, stdout, stderr } = await watching;
    expect([code, stderr]).toEqual([130, '']);
    expect(lines(stdout).every(({ status, droplet_name }) => status === 'error' && droplet_name === 'other')).toBe(true);
  });
});

describe('droplets and bench', () => {
  it('lists droplets for people and programs', async () => {
    expect(JSON.parse((await cli('droplets')).stdout).total).toBeGreaterThan(1);
    expect((await cli('droplets other --no-json')).stdout).toMatch(/^ID +NAME .*\n4 +Other /);
    expect(JSON.parse((await cli('droplets breaker other --state open')).stdout).droplet.health.breaker).toBe('open');
    expect((await cli('droplets breaker other --state auto')).code).toBe(0);
  });

  it('adds and removes droplets of the built-in Registry', async () => {
    const server = await TestOrchestrator.start();
    const environment = { ORCHESTRATOR_URL: server.url };
    expect((await cli('droplets add new http://localhost:9 --no-json', { environment })).stdout).toMatch(/'new' registered/);
    expect((await cli('droplets remove new', { environment })).code).toBe(0);
    expect((await cli('droplets new', { environment })).code).toBe(4);
    await server.stop();
  });

  it('measures within its bounds, and says when some failed', async () => {
    const { code, stdout } = await cli('bench --tasks 20 --connections 4 --droplet other --path /health');
    const figures = JSON.parse(stdout);
    expect([code, figures.tasks, figures.outcomes]).toEqual([0, 20, { success: 20 }]);
    expect(Object.keys(figures)).toEqual(expect.arrayContaining(['tasks_per_second', 'p50_ms', 'p95_ms', 'p99_ms']));
    const bad = await cli('bench --tasks 4 --droplet other --path /status?code=404 --no-json');
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringMatching(/tasks\/s.*4 DROPLET_ERROR[\s\S]*p50/)]);
    const refused = await cli('bench --tasks 4 --droplet nobody');
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([4, '', expect.stringMatching(/Known: .*Other/)]);
    const brief = JSON.parse((await cli('bench --tasks 1000000 --time 1ms --droplet other --path /health')).stdout);
    expect(brief.tasks).toBeLessThan(1_000_000);
  });
});

describe('the program itself', () => {
  const start = (args: readonly string[], node = NODE): TestProcess =>
    new TestProcess(node, [CLI, ...args], { cwd: folder, environment: { ORCHESTRATOR_URL: mesh.orchestrator.url } });

  it('loads nothing of the server for its own commands', async () => {
    const loaded = new TestProcess(NODE, ['--import', LOADER, CLI, 'tasks', '--limit', '1'], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    expect(await loaded.end()).toEqual({ code: 0, signal: null });
    expect(loaded.stderr).toContain('src:cli/program.js');
    expect(loaded.stderr).not.toMatch(/@nestjs|fastify|undici|reflect-metadata|src:main\.js/);
  });

  it('ends quietly when its reader has had enough', async () => {
    const piped = new TestProcess('sh', ['-c', `'${NODE}' '${CLI}' tasks --all --limit 1 | head -c 10`], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    expect(await piped.end()).toEqual({ code: 0, signal: null });
    expect([piped.stdout.length, piped.stderr]).toEqual([10, '']);
  });

  it('does not call a submission done whose output was closed', async () => {
    const submit = `'${NODE}' '${CLI}' submit other GET '/slow?ms=40'`;
    const piped = new TestProcess('sh', ['-c', `{ ${submit}; echo "code $?" >&2; } | exec true`], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    await piped.end();
    expect(piped.stderr).toMatch(/^error: The output cannot be written: .*\n.*orchestrator tasks.*\ncode 141\n$/);
  });

  it('says from where to go on with a file when its output was closed', async () => {
    const lines = `{"droplet_name":"other","path":"/health"}\n`.repeat(1001);
    const submit = `'${NODE}' '${CLI}' submit --file '${file('closed.jsonl', lines)}'`;
    const piped = new TestProcess('sh', ['-c', `{ ${submit}; echo "code $?" >&2; } | exec true`], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    await piped.end();
    expect(piped.stderr).toMatch(
      /^Everything before line 1001 was handed over: .*\n1000 tasks: 1000 queued\nerror: .*\n.*\ncode 141\n$/,
    );
  });

  it('says so when its output cannot be written', async () => {
    const full = new TestProcess('sh', ['-c', `'${NODE}' '${CLI}' tasks > /dev/full`], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: mesh.orchestrator.url },
    });
    expect(await full.end()).toEqual({ code: 6, signal: null });
    expect(full.stderr).toMatch(/^error: The output cannot be written: .*ENOSPC.*\n {2}Make room/);
  });

  it('says what it has left undone when its output was closed', async () => {
    const server = await TestServer.start(({ url }, response) => {
      const answer = (): void => reply(response, 200, { id: url.split('/').at(-1), status: 'cancelled' });
      if (url.endsWith('/a')) setTimeout(answer, 40);
    });
    const piped = new TestProcess('sh', ['-c', `{ '${NODE}' '${CLI}' cancel a b c; echo "code $?" >&2; } | exec true`], {
      cwd: folder,
      environment: { ORCHESTRATOR_URL: server.url },
    });
    await piped.end();
    await server.stop();
    expect(piped.stderr).toMatch(/^Not done: go on with 'orchestrator cancel b c'\nerror: The output cannot .*\n.*\ncode 141\n$/);
  });

  it('ends with 130 on Ctrl-C', async () => {
    const watching = start(['watch']);
    await until(async () => {
      await mesh.orchestrator.task({ droplet_name: 'other', path: '/health' });
      return watching.stdout !== '';
    }, 10_000);
    watching.signal('SIGINT');
    expect(await watching.end()).toEqual({ code: 130, signal: null });
    expect(watching.stderr).toBe('');
  });

  it('serves, as dist/main.js does, with settings of its own', async () => {
    const port = await freePort();
    const serving = start(['serve', '--port', String(port), '--host', '127.0.0.1', '--database', path.join(folder, 'own.db')]);
    await until(() => serving.hasEnded || serving.stdout.includes('"msg":"listening"'), 15_000);
    const ran = await cli('submit orchestrator GET /orchestrator/health/live', {
      environment: { ORCHESTRATOR_URL: `http://127.0.0.1:${port}` },
    });
    expect(ran.code).toBe(0);
    serving.signal('SIGINT');
    expect(await serving.end()).toEqual({ code: 0, signal: null });
    expect(existsSync(path.join(folder, 'own.db'))).toBe(true);
  });

  it('says in one line what is wrong with a setting', async () => {
    const serving = new TestProcess(NODE, [CLI, 'serve'], { cwd: folder, environment: { TASK_TIMEOUT: 'soon' } });
    expect(await serving.end()).toEqual({ code: 1, signal: null });
    expect(serving.lines).toEqual([expect.stringContaining('TASK_TIMEOUT')]);
  });

  it('works on Node 20, but for serve', async () => {
    const old = nodeTwenty();
    if (old === null) return sayUntested('the command line');
    const submit = start(['submit', 'other', 'GET', '/health'], old);
    expect(await submit.end()).toEqual({ code: 0, signal: null });
    for (const args of [
      ['tasks', '--no-json'],
      ['droplets', '--no-json'],
      ['bench', '--tasks', '5'],
      ['submit', '--help'],
    ])
      expect([args, await start(args, old).end()]).toEqual([args, { code: 0, signal: null }]);
    const serving = start(['serve'], old);
    expect(await serving.end()).toEqual({ code: 7, signal: null });
    expect(serving.lines).toEqual([expect.stringMatching(/needs Node 24 or newer/)]);
  });
});

/** Says on stderr what is loaded. */
const LOADER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const root = ${JSON.stringify(`file://${ROOT}/dist/`)};
  registerHooks({ load: (url, context, next) => { process.stderr.write(url.replace(root, 'src:') + '\\n'); return next(url, context); } });
`)}`;
