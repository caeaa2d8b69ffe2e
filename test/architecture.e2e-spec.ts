import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { declaredRoutes } from './support/routes.js';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The rules that a tree breaks, as dependency-cruiser names them. */
function brokenRules(root: string): Promise<string[]> {
  const command = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const options = ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [command, ...options], { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      if (!stdout) return reject(new Error(stderr));
      const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
      resolve(summary.violations.map(({ rule }) => rule.name));
    });
  });
}

describe('the house', () => {
  let planted = '';

  /** A tree with one file too many, under the rules of this one. */
  function plant(file: string, text: string): string {
    planted = mkdtempSync(path.join(tmpdir(), 'house-'));
    for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
      copyFileSync(path.join(ROOT, name), path.join(planted, name));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(planted, 'node_modules'));
    for (const each of [file, 'src/tasks/task.ts', 'src/registry/droplet.ts']) {
      mkdirSync(path.dirname(path.join(planted, each)), { recursive: true });
      writeFileSync(path.join(planted, each), each === file ? text : 'export const value = 1;\n');
    }
    return planted;
  }

  afterEach(() => {
    if (planted) rmSync(planted, { recursive: true, force: true });
    planted = '';
  });

  it('breaks none of its rules', async () => {
    expect(await brokenRules(ROOT)).toEqual([]);
  });

  it.each([
    [
      'a call past the RetryPolicy by undici',
      'only-outbound-reaches-out',
      "import { request } from 'undici';\nexport const call = request;\n",
    ],
    [
      'a call past the RetryPolicy by axios',
      'only-outbound-reaches-out',
      "import axios from 'axios';\nexport const call = axios.get;\n",
    ],
    [
      'a call past the RetryPolicy by node:https',
      'only-outbound-opens-connections',
      "import { get } from 'node:https';\nexport const call = get;\n",
    ],
    [
      'a database beside the store',
      'only-storage-knows-databases',
      "import { DatabaseSync } from 'node:sqlite';\nexport const open = DatabaseSync;\n",
    ],
    [
      'OpenTelemetry where traces are off',
      'only-tracing-knows-opentelemetry',
      "import { trace } from '@opentelemetry/api';\nexport const same = trace;\n",
    ],
    [
      'an arrow that runs up',
      'no-arrow-up-from-registry',
      "import { value } from '../tasks/task.js';\nexport const same = value;\n",
    ],
  ])('would notice %s', async (_fault, rule, text) => {
    expect(await brokenRules(plant('src/registry/planted.ts', text))).toContain(rule);
  });

  it.each([
    ['a client that needs the house', 'src/client/planted.ts', 'the-client-stands-alone', '../tasks/task.js'],
    ['a client that needs Node', 'src/client/planted.ts', 'the-client-stands-alone', 'node:events'],
    ['a client with a dependency', 'src/client/planted.ts', 'the-client-stands-alone', 'undici'],
    ['a command line that needs the house', 'src/cli/planted.ts', 'the-command-line-knows-the-client-only', '../tasks/task.js'],
    ['a house that calls itself', 'src/cli/planted.ts', 'the-house-knows-neither-client-nor-command-line', ''],
  ])('would notice %s', async (_fault, file, rule, imported) => {
    const root = plant(
      file,
      imported === '' ? 'export const value = 1;\n' : `import * as all from '${imported}';\nexport const same = all;\n`,
    );
    if (imported === '') writeFileSync(path.join(root, 'src/tasks/task.ts'), "export { value } from '../cli/planted.js';\n");
    expect(await brokenRules(root)).toContain(rule);
  });

  it('says of every route who may use it', () => {
    const routes = declaredRoutes(ROOT);
    expect(routes.length).toBeGreaterThan(30);
    expect(routes.filter(({ access }) => access === null)).toEqual([]);
    const controllers = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) =>
      /^@Controller\(/m.test(readFileSync(path.join(ROOT, file), 'utf8')),
    );
    expect(controllers.filter((file) => !file.endsWith('.controller.ts'))).toEqual([]);
  });

  it('reads the environment in one file, and touches the process at its edge only', () => {
    const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.spec.ts'));
    const readers = files.filter((file) => /\bprocess\.(env|exit|on)\b/.test(readFileSync(path.join(ROOT, file), 'utf8')));
    expect(readers.sort()).toEqual(['src/cli.ts', 'src/config/environment.ts', 'src/main.ts']);
  });

  it('reaches out by no global either', () => {
    const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.spec.ts'));
    const callers = files.filter((file) =>
      /\b(fetch|WebSocket|EventSource|XMLHttpRequest)\(/.test(readFileSync(path.join(ROOT, file), 'utf8')),
    );
    // The client is for other programs; nothing of the house imports it.
    expect(callers).toEqual(['src/client/transport.ts']);
  });
});
