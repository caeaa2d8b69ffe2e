import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS } from '../src/config/settings.js';
import { HttpClient, until } from './support/http.client.js';
import { NODE, OrchestratorProcess, ROOT, TestProcess } from './support/process.js';
import { freePort } from './support/server.js';

/** The commands that this test does not run, and what does. */
const RUN_ELSEWHERE: Record<string, string> = {
  'npm ci && npm start': 'test/start.smoke-spec.ts',
  'npm ci && npm test': '.ci/run',
  'REGISTRY_URL=http://registry:8000 PUBLIC_URL=http://this-host:8001 npm start': 'test/start.smoke-spec.ts',
  'npm run backup -- /var/backups/orchestrator.db': 'test/backup.e2e-spec.ts',
  'docker build -t orchestrator .': 'test/image.smoke-spec.ts',
  'docker run --rm -p 8001:8001 -v orchestrator-data:/var/lib/fpai orchestrator': 'test/image.smoke-spec.ts',
  'docker compose up': 'test/docker.e2e-spec.ts',
  'npm run demo': 'test/start.smoke-spec.ts',
  'npm run demo:cluster': 'test/demo-cluster.e2e-spec.ts',
  'docker compose -f compose.cluster.yaml up': 'test/deploy.e2e-spec.ts',
  'kubectl apply -k deploy/kubernetes': 'test/deploy.e2e-spec.ts',
};

interface Block {
  readonly language: string;
  readonly text: string;
}

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const blocks: Block[] = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const commandsOf = ({ text }: Block): string[] => text.split('\n').filter((line) => line !== '');
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
const curls = commands.filter((command) => command.startsWith('curl '));

/** The JSON that is shown for a command: the block right after the one that ends with it. */
function shownFor(command: string): unknown {
  const index = blocks.findIndex((block) => commandsOf(block).at(-1) === command);
  const next = blocks[index + 1];
  return next?.language === 'json' ? JSON.parse(next.text) : undefined;
}

/** The same value with every text, number and null in it made one: what is left is the shape. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return 'a value';
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}

/** The names in code style in the first column of the table below a heading. */
function firstColumn(heading: string): string[] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const cells = [...section.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

describe('README.md', () => {
  let server: OrchestratorProcess;
  let droplet: TestProcess;
  let dropletPort: number;

  /** Runs a command as written, but for the ports, and for the Node that the project brings. */
  const start = (command: string): TestProcess => {
    const here = command.replaceAll('8001', String(server.port)).replaceAll('9001', String(dropletPort));
    const { PATH = '' } = process.env;
    return new TestProcess('sh', ['-c', here], { cwd: ROOT, environment: { PATH: `${path.dirname(NODE)}:${PATH}` } });
  };

  beforeAll(async () => {
    dropletPort = await freePort();
    server = await OrchestratorProcess.start({ RETRY_BACKOFF_BASE_MS: '20' });
    droplet = start('PORT=9001 node demo/droplet.mjs flaky');
    const isUp = (): Promise<boolean> =>
      new HttpClient(`http://127.0.0.1:${dropletPort}`)
        .get('/health')
        .then(() => true)
        .catch(() => false);
    await until(() => droplet.hasEnded || isUp(), 15_000);
  });
  afterAll(async () => {
    await Promise.all([server.remove(), droplet.kill()]);
  });

  it('is short', () => {
    expect(readme.length).toBeLessThan(20_000);
  });

  it('shows commands that are run: here, by another test or by CI', () => {
    const known = [...Object.keys(RUN_ELSEWHERE), ...curls, 'PORT=9001 node demo/droplet.mjs flaky'];
    expect(commands.filter((command) => !known.includes(command))).toEqual([]);
    expect(Object.keys(RUN_ELSEWHERE).filter((command) => !commands.includes(command))).toEqual([]);
    expect(Object.values(RUN_ELSEWHERE).filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
    expect(curls.length).toBeGreaterThanOrEqual(4);
  });

  it('begins with commands that need nothing set up before', () => {
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });

  // In the order of the page: a later command may need an earlier one.
  it.each(curls)('shows what really comes of %s', async (command) => {
    const call = start(command);
    expect(await call.end()).toEqual({ code: 0, signal: null });
    const real: unknown = JSON.parse(call.stdout);
    expect(real).not.toHaveProperty('error.code');
    const shown = shownFor(command);
    if (shown !== undefined) expect(shapeOf(shown)).toEqual(shapeOf(real));
  });

  it('shows the outcome of a task that was retried', () => {
    const shown = curls.map(shownFor).filter((answer) => answer !== undefined);
    expect(shown).toContainEqual(expect.objectContaining({ status: 'success', retry_count: 2, attempts: 3 }));
    expect(shown).toHaveLength(5);
  });

  it('names every setting, and none that there is not', () => {
    expect(firstColumn('Settings').sort()).toEqual(Object.keys(SETTINGS).sort());
  });

  it('names only routes that there are', async () => {
    // The stream of events never ends; test/events.e2e-spec.ts reads it.
    const named = firstColumn('Routes')
      .filter((name) => !name.endsWith('/events'))
      .map((name) => name.split(' '));
    let folder = '';
    const missing: string[] = [];
    for (const [first = '', second] of named) {
      const [method, route] = second === undefined ? ['GET', `${folder}${first}`] : [first, second];
      folder = route.slice(0, route.lastIndexOf('/'));
      const answer = await server.request(method, route.replace('{id or name}', 'orchestrator').replace('{id}', '2'));
      if (answer.status === 405 || answer.json?.error?.code === 'NOT_FOUND') missing.push(`${method} ${route}`);
    }
    expect(named.length).toBeGreaterThan(15);
    expect(missing).toEqual([]);
  });
});
