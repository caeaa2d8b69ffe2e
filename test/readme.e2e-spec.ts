import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../src/config/settings.js';
import { commandsOf, firstColumn, readPage } from './support/pages.js';
import { OrchestratorProcess } from './support/process.js';

const readme = readPage('README.md');
const commands = readme.blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);

/** That its commands work is for test/pages.e2e-spec.ts to see. */
describe('README.md', () => {
  let server: OrchestratorProcess;

  beforeAll(async () => {
    server = await OrchestratorProcess.start();
  });
  afterAll(() => server.remove());

  it('is short', () => {
    expect(readme.text.length).toBeLessThan(20_000);
  });

  it('sells in one screen: a picture, three commands, what it promises, what it is not', () => {
    const [screen = ''] = readme.text.split('\n## ');
    expect(screen.split('\n').length).toBeLessThan(50);
    expect(commands.slice(0, 3)).toEqual(['npm ci && npm start', 'npm run demo', 'npm run demo:cluster']);
    for (const part of ['src="docs/dashboard.png"', '**What it promises**', '**What it is not**']) expect(screen).toContain(part);
  });

  it('goes in four commands from nothing set up to a task that was retried', () => {
    const [start, droplet, registration, task] = commands.slice(3);
    expect([start, droplet]).toEqual(['npm ci && npm start', 'PORT=9001 node demo/droplet.mjs flaky']);
    expect(registration).toContain('localhost:8001/register');
    expect(task).toContain('localhost:8001/orchestrator/tasks');
    const shown = readme.blocks.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text));
    expect(shown[1]).toMatchObject({ status: 'success', retry_count: 2, attempts: 3 });
    expect(commands).toContain('npm ci && npm test');
  });

  it('names only settings that there are, and docs/settings.md names every one', () => {
    const names = Object.keys(SETTINGS);
    expect(firstColumn(readPage('docs/settings.md'), 'All of them').sort()).toEqual(names.sort());
    const section = readme.text.split('\n## Settings\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('names only routes that there are', async () => {
    // The stream of events never ends; test/events.e2e-spec.ts reads it.
    const named = firstColumn(readme, 'Routes')
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
