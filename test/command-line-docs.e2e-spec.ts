import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EXIT_HELP } from '../src/cli/exit.codes.js';
import { OrchestratorClient } from '../src/client/entry.js';
import { until } from './support/http.client.js';
import { NODE, OrchestratorProcess, ROOT, tempFolder, TestProcess } from './support/process.js';
import { freePort } from './support/server.js';

const pageOf = (name: string): string => readFileSync(path.join(ROOT, 'docs', name), 'utf8');
const blocksOf = (name: string, language: string): string[] =>
  [...pageOf(name).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
/** The names in code style in the first column of the tables. */
const firstColumn = (name: string): string =>
  [...pageOf(name).matchAll(/^\| (.+?) +\|/gm)].map(([, cell = '']) => cell).join('\n');

describe('docs/command-line.md and docs/client.md', () => {
  const folder = tempFolder();
  let server: OrchestratorProcess;
  let droplet: TestProcess;

  beforeAll(async () => {
    // All examples at once are more failures than the breaker would let pass.
    const brisk = { ASYNC_BACKOFF_BASE_MS: '20', RETRY_BACKOFF_BASE_MS: '20', BREAKER_MIN_CALLS: '1000' };
    server = await OrchestratorProcess.start(brisk);
    const port = await freePort();
    droplet = new TestProcess(NODE, [path.join(ROOT, 'demo/droplet.mjs'), 'flaky'], {
      ...{ cwd: folder, environment: { PORT: String(port) } },
    });
    await until(() => droplet.hasEnded || droplet.stdout.includes('listening'), 15_000);
    await new OrchestratorClient({ url: server.url }).register({ name: 'flaky', url: `http://127.0.0.1:${port}` });
  }, 40_000);
  afterAll(async () => {
    await Promise.all([server.remove(), droplet.kill()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const here = (text: string): string => text.replaceAll('8001', String(server.port));

  it.each(blocksOf('command-line.md', 'sh'))('runs:\n%s', async (block) => {
    const text = here(block).replaceAll('npx orchestrator', `'${NODE}' '${path.join(ROOT, 'dist/cli.js')}'`);
    const ran = new TestProcess('sh', ['-ec', text], { cwd: folder });
    expect([await ran.end(), ran.stderr.includes('error')]).toEqual([{ code: 0, signal: null }, false]);
    expect(ran.stdout).toContain('"');
  });

  // In the checkout a program finds the package by its own name.
  it.each(blocksOf('client.md', 'js'))('runs:\n%s', async (block) => {
    const ran = new TestProcess(NODE, ['--input-type=module', '--eval', here(block)], { cwd: ROOT });
    expect([await ran.end(), ran.stderr]).toEqual([{ code: 0, signal: null }, '']);
    expect(ran.stdout).toMatch(/success|DROPLET_NOT_FOUND/);
  });

  it('shows blocks that are run', () => {
    const blocks = (name: string): number => (pageOf(name).match(/^```\w+$/gm) ?? []).length;
    expect([blocks('command-line.md'), blocks('client.md')]).toEqual([
      ...[blocksOf('command-line.md', 'sh').length, blocksOf('client.md', 'js').length],
    ]);
    expect(blocks('client.md')).toBeGreaterThan(3);
  });

  it('names every method of the client', () => {
    const methods = Object.getOwnPropertyNames(OrchestratorClient.prototype).filter(
      (name) => !['constructor', 'url', 'get', 'post'].includes(name),
    );
    expect(methods.length).toBeGreaterThan(15);
    expect(methods.filter((name) => !firstColumn('client.md').includes(`\`${name}(`))).toEqual([]);
  });

  it('gives the exit codes that the help gives', () => {
    const codes = [...EXIT_HELP.matchAll(/^ {2}(\d+)/gm)].map(([, code]) => code);
    expect(firstColumn('command-line.md').match(/^\d+$/gm)).toEqual(codes);
  });

  it('is found by npx in the checkout', async () => {
    const { PATH = '' } = process.env;
    const ran = new TestProcess('npx', ['--no-install', 'orchestrator', '--version'], { cwd: ROOT, environment: { PATH } });
    expect([await ran.end(), ran.stdout.trim()]).toEqual([
      ...[
        { code: 0, signal: null },
        (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
      ],
    ]);
  });
});
