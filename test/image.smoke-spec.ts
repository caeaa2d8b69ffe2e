import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildContext, execForm, lastOf, pairsOf, readDockerfile, type Stage } from './support/dockerfile.js';
import { HttpClient, until } from './support/http.client.js';
import { NODE, ROOT, tempFolder, TestProcess, type Exit } from './support/process.js';
import { freePort } from './support/server.js';

const BUILD_MS = 600_000;
/** The user `node` of the image; only root can become it. */
const USER = process.getuid?.() === 0 ? 1000 : undefined;
const OWNER = `${USER ?? process.getuid?.()}:${USER ?? process.getgid?.()}`;
/** What this run of npm and Jest tells its children, and an engine would not. */
const INHERITED = /^(npm_(package|lifecycle|config_local_prefix)|INIT_CWD|NODE_|JEST_)/i;

/** A stage of the Dockerfile, carried out by hand: its files are below `root`, which stands for `/`. */
class BuiltStage {
  private workdir = '/';
  private readonly env: Record<string, string> = {};

  constructor(
    private readonly stage: Stage,
    private readonly root: string,
    private readonly others: ReadonlyMap<string, BuiltStage>,
  ) {
    mkdirSync(this.at('/usr/local/bin'), { recursive: true });
    cpSync(realpathSync(NODE), this.at('/usr/local/bin/node'));
  }

  /** Where a path of the image is here. */
  at(file: string): string {
    return path.join(this.root, path.resolve(this.workdir, file));
  }

  async build(): Promise<void> {
    for (const { name, value } of this.stage.instructions) await this.carryOut(name, value);
  }

  /** Starts a command of the image as its user, with nothing but the image's environment. */
  spawn([command = '', ...args]: readonly string[], environment: Record<string, string> = {}): TestProcess {
    const env = { PATH: this.at('/usr/local/bin'), HOME: this.at('/'), ...this.env, ...environment };
    const user = lastOf(this.stage, 'USER') === 'node' && USER !== undefined ? { user: USER } : {};
    return new TestProcess(this.at(`/usr/local/bin/${command}`), args, { cwd: this.at('.'), environment: env, ...user });
  }

  private async carryOut(name: string, value: string): Promise<void> {
    switch (name) {
      case 'WORKDIR':
        this.workdir = value;
        mkdirSync(this.at('.'), { recursive: true });
        return;
      case 'ENV':
        for (const [key, text] of pairsOf(value)) this.env[key] = text.startsWith('/') ? this.at(text) : text;
        return;
      case 'COPY':
        return this.copy(value.split(/\s+/));
      case 'RUN':
        return this.run(value);
      case 'USER':
      case 'VOLUME':
      case 'EXPOSE':
      case 'HEALTHCHECK':
      case 'CMD':
        return;
      default:
        throw new Error(`this test does not know ${name}`);
    }
  }

  private copy(words: string[]): void {
    const from = words[0]?.startsWith('--from=') ? this.others.get(words.shift()?.slice(7) ?? '') : undefined;
    const target = words.pop() ?? '';
    const into = (source: string): string => this.at(target.endsWith('/') ? path.join(target, path.basename(source)) : target);
    for (const source of words) {
      if (from) cpSync(from.at(source), into(source), { recursive: true, verbatimSymlinks: true });
      else this.copyFromContext(source, into(source));
    }
  }

  private copyFromContext(source: string, target: string): void {
    const files = buildContext().filter((file) => file === source || file.startsWith(`${source}/`));
    if (files.length === 0) throw new Error(`.dockerignore lets nothing of ${source} through`);
    for (const file of files) cpSync(path.join(ROOT, file), path.join(target, path.relative(source, file)), { recursive: true });
  }

  /** Absolute paths are those of the image, and its user is ours. */
  private async run(command: string): Promise<void> {
    const here = command.replaceAll(/(?<=\s)\//g, `${this.root}/`).replaceAll('node:node', OWNER);
    const inherited = Object.entries(process.env).filter(([key]) => !INHERITED.test(key)) as [string, string][];
    const { PATH = '' } = process.env;
    const environment = { ...Object.fromEntries(inherited), PATH: `${this.at('/usr/local/bin')}:${PATH}`, ...this.env };
    const step = new TestProcess('sh', ['-c', here], { cwd: this.at('.'), environment });
    const { code } = await step.end(BUILD_MS).finally(() => step.kill());
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${step.lines.join('\n')}`);
  }
}

describe('the image, each step of its Dockerfile carried out by hand', () => {
  const folder = tempFolder();
  const stages = readDockerfile();
  const final = stages.at(-1)!;
  const built = new Map<string, BuiltStage>();
  let image: BuiltStage;
  const running: TestProcess[] = [];
  let server: TestProcess;
  let client: HttpClient;
  let port: number;

  const healthcheck = (): Promise<Exit> => {
    const probe = image.spawn(execForm(lastOf(final, 'HEALTHCHECK')), { PORT: String(port) });
    return probe.end().finally(() => probe.kill());
  };

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const stage of stages) {
      const next = new BuiltStage(stage, path.join(folder, stage.name), built);
      await next.build();
      built.set(stage.name, next);
    }
    image = built.get(final.name)!;
    port = await freePort();
    server = image.spawn(execForm(lastOf(final, 'CMD')), { PORT: String(port), HOST: '127.0.0.1' });
    running.push(server);
    client = new HttpClient(`http://127.0.0.1:${port}`);
    const isUp = (): Promise<boolean> =>
      client
        .get('/health')
        .then(() => true)
        .catch(() => false);
    await until(() => server.hasEnded || isUp(), 20_000);
  }, BUILD_MS);

  afterAll(async () => {
    await Promise.all(running.map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('serves a first task, as a user that is not root', async () => {
    expect(server.lines.join('\n')).toContain('listening');
    if (USER !== undefined) expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(/^Uid:\s+1000\s/m);
    const { status, json } = await client.task({ droplet_name: 'orchestrator', path: '/orchestrator/health' });
    expect([status, json.status, json.recorded]).toEqual([200, 'success', true]);
  });

  it('keeps what it writes in its volumes, and nowhere else', () => {
    const [data] = JSON.parse(lastOf(final, 'VOLUME')) as string[];
    expect(readdirSync(image.at(data!))).toContain('orchestrator.db');
    expect(readdirSync(image.at('/app')).sort()).toEqual(['dist', 'node_modules', 'openapi.json', 'package.json']);
  });

  it('holds production dependencies only', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const has = (name: string): boolean => existsSync(image.at(`/app/node_modules/${name}`));
    expect(Object.keys(dependencies).filter((name) => !has(name))).toEqual([]);
    expect(['node', 'jest', 'typescript', 'eslint', '@nestjs/cli', '.bin/node'].filter(has)).toEqual([]);
    expect(readdirSync(image.at('/app/dist'), { recursive: true }).filter((file) => String(file).includes('.spec.'))).toEqual([]);
  });

  it('passes its HEALTHCHECK while it serves, ends with 0 on SIGTERM, and fails its HEALTHCHECK then', async () => {
    expect(await healthcheck()).toEqual({ code: 0, signal: null });
    server.signal('SIGTERM');
    expect(await server.end()).toEqual({ code: 0, signal: null });
    expect(await healthcheck()).toEqual({ code: 1, signal: null });
  });
});
