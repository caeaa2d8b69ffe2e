import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HttpClient, until } from './support/http.client.js';
import { nodeTwenty, sayUntested } from './support/node.twenty.js';
import { allPages, linksOf } from './support/pages.js';
import { NODE, ROOT, tempFolder, TestProcess } from './support/process.js';
import { freePort } from './support/server.js';

const INSTALL_MS = 600_000;
/** What this run of npm and Jest tells its children, and a shell would not. */
const INHERITED = /^(npm_(package|lifecycle|config_local_prefix)|INIT_CWD|NODE_|JEST_)/i;
const KIB = 1024;
const TSC = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--skipLibCheck', 'false', '--pretty', 'false'];
const NODE_TYPES = ['--typeRoots', path.join(ROOT, 'node_modules/@types'), '--types', 'node'];
/** What tsc ends with that found a fault, and wrote its files all the same. */
const WRONG_BUT_WRITTEN = 2;

describe('the package, installed where there is no checkout', () => {
  const folder = tempFolder();
  const app = path.join(folder, 'app');
  const installed = path.join(app, 'node_modules/fpai-orchestrator');
  const running: TestProcess[] = [];
  let tarball: string;
  let port: number;
  let client: HttpClient;

  /** A command as a user gives it, on the project's Node unless another is named. */
  const start = (command: string, args: readonly string[], cwd: string, node = NODE): TestProcess => {
    const inherited = Object.entries(process.env).filter(([key]) => !INHERITED.test(key)) as [string, string][];
    const { PATH = '' } = process.env;
    const outside = PATH.split(':').filter((each) => !each.includes('node_modules'));
    const own = {
      PATH: [path.dirname(realpathSync(node)), ...outside].join(':'),
      ORCHESTRATOR_URL: client.url,
      HOST: '127.0.0.1',
    };
    const environment = { ...Object.fromEntries(inherited), ...own };
    const started = new TestProcess(command, args, { cwd, environment });
    running.push(started);
    return started;
  };
  const done = async (process: TestProcess, code = 0): Promise<TestProcess> => {
    const exit = await process.end(INSTALL_MS);
    if (exit.code !== code) throw new Error(`ended with ${exit.code}, not ${code}:\n${process.lines.join('\n')}`);
    return process;
  };
  const orchestrator = (args: string, node = NODE): TestProcess =>
    start(path.join(app, 'node_modules/.bin/orchestrator'), args.split(' '), app, node);

  beforeAll(async () => {
    port = await freePort();
    client = new HttpClient(`http://127.0.0.1:${port}`);
    mkdirSync(app);
    await done(start('npm', ['pack', '--pack-destination', folder], ROOT));
    tarball = path.join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? 'none');
    writeFileSync(path.join(app, 'package.json'), '{"type":"module"}');
    await done(start('npm', ['install', '--no-audit', '--no-fund', tarball], app));
    // npx takes an absolute path for a command, and a folder of modules further up for the project that a path is in.
    mkdirSync(path.join(folder, 'node_modules'));
    const server = start('npx', ['--yes', `./${path.basename(tarball)}`, 'serve', '--port', String(port)], folder);
    await until(() => server.hasEnded || server.stdout.includes('"msg":"listening"'), INSTALL_MS).catch(() => undefined);
    if (!server.stdout.includes('"msg":"listening"')) throw new Error(`npx serve: ${server.lines.join('\n')}`);
  }, INSTALL_MS);

  afterAll(async () => {
    await Promise.all(running.map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds what runs, its types and its papers, and little else', () => {
    const files = readdirSync(installed, { recursive: true }).map(String);
    const needed = ['README.md', 'openapi.json', 'package.json', 'dist/cli.js', 'dist/main.js', 'dist/client/entry.d.ts'];
    expect(needed.filter((file) => !files.includes(file))).toEqual([]);
    expect(files.filter((file) => /spec|\.map$|^(src|test|demo)\b|dist\/openapi/.test(file))).toEqual([]);
    expect(statSync(tarball).size).toBeLessThan(1024 * KIB);
  });

  it('has everything that its pages show and link to', () => {
    const packed = allPages().filter(({ name }) => existsSync(path.join(installed, name)));
    const links = packed.flatMap((page) =>
      linksOf(page).map((to) => ({ from: path.dirname(page.name), to: to.replace(/#.*/, '') })),
    );
    const inside = links.filter(({ to }) => to !== '' && !/^https?:/.test(to)).map(({ from, to }) => path.join(from, to));
    expect(inside).toEqual(expect.arrayContaining(['docs/dashboard.png', 'deploy/prometheus/alerts.yaml']));
    expect(inside.filter((file) => !existsSync(path.join(installed, file)))).toEqual([]);
  });

  it('brings what it needs to run, and nothing that builds or tests it', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    const has = (name: string): boolean => existsSync(path.join(app, 'node_modules', name));
    expect(Object.keys(manifest.dependencies ?? {}).filter((name) => !has(name))).toEqual([]);
    // What other packages need of these is theirs to say.
    const shared = ['ajv', 'yaml'];
    expect(Object.keys(manifest.devDependencies ?? {}).filter((name) => has(name) && !shared.includes(name))).toEqual([]);
  });

  it('serves by npx, and its command submits a task', async () => {
    const { stdout } = await done(orchestrator('submit orchestrator GET /orchestrator/health/live'));
    expect(JSON.parse(stdout)).toMatchObject({ status: 'success', response_status: 200 });
    expect((await client.get('/openapi.json')).text).toBe(readFileSync(path.join(ROOT, 'openapi.json'), 'utf8'));
    expect((await client.get('/docs')).status).toBe(200);
  });

  const PROGRAM = `import { OrchestratorClient, type TaskResult } from 'fpai-orchestrator';
const client = new OrchestratorClient({ url: 'URL' });
const task = { droplet_name: 'orchestrator', path: '/orchestrator/health/live' };
const result: TaskResult = await client.submit(task, { idempotencyKey: true });
console.log(result.status);
`;

  it.each([
    ['nodenext, where only the DOM is known', ['--module', 'nodenext', '--lib', 'es2023,dom']],
    ['bundler, where only the DOM is known', ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023,dom']],
    [
      'bundler, where only Node is known',
      ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023', ...NODE_TYPES],
    ],
    ['nodenext, where only Node is known', ['--module', 'nodenext', '--lib', 'es2023', ...NODE_TYPES]],
  ])('can be imported, with its types, by %s', async (_name, options) => {
    writeFileSync(path.join(app, 'program.ts'), PROGRAM.replace('URL', client.url));
    writeFileSync(path.join(app, 'wrong.ts'), PROGRAM.replace("path: '/", "pfad: '/"));
    rmSync(path.join(app, 'program.js'), { force: true });
    const tsc = start(path.join(ROOT, 'node_modules/.bin/tsc'), [...TSC, ...options, 'program.ts', 'wrong.ts'], app);
    const { stdout } = await done(tsc, WRONG_BUT_WRITTEN);
    expect(stdout.match(/^.*error TS.*$/gm)).toEqual([expect.stringMatching(/^wrong\.ts.*pfad/)]);
    expect((await done(start('node', ['program.js'], app))).stdout).toBe('success\n');
  });

  it('works on Node 20, but for serve', async () => {
    const old = nodeTwenty();
    if (old === null) return sayUntested('the package');
    await done(orchestrator('--help', old));
    await done(orchestrator('submit orchestrator GET /orchestrator/health/live', old));
    expect((await done(start('node', ['program.js'], app, old))).stdout).toBe('success\n');
    expect((await done(orchestrator('serve', old), 7)).lines).toEqual([expect.stringMatching(/needs Node 24 or newer/)]);
  });
});
