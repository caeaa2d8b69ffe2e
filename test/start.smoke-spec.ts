import { afterAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { HttpClient, until } from './support/http.client.js';
import { OrchestratorProcess, ROOT, tempFolder, TestProcess } from './support/process.js';
import { TestRegistry } from './support/registry.js';
import { freePort } from './support/server.js';

const BUILD_AND_START_MS = 120_000;

const answers = (client: HttpClient): Promise<boolean> =>
  client.get('/orchestrator/health').then(
    ({ status }) => status === 200,
    () => false,
  );

const firstTask = (client: HttpClient) => client.task({ droplet_name: 'orchestrator', path: '/orchestrator/health/live' });

describe('the commands of the README, as a new user gives them', () => {
  const folder = tempFolder();
  const processes: { kill: () => Promise<void> }[] = [];

  /** In the checkout itself, but with a port and files of its own. */
  const npm = async (args: string[], environment: Record<string, string>): Promise<[TestProcess, HttpClient]> => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const files = { DATABASE_URL: path.join(folder, `${port}.db`), CACHE_DIR: path.join(folder, String(port)), TMPDIR: folder };
    const own = { HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: url, ...files };
    const command = new TestProcess('npm', args, { cwd: ROOT, environment: { ...own, ...environment } });
    processes.push(command);
    return [command, new HttpClient(url)];
  };

  afterAll(async () => {
    await Promise.all(processes.map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'npm start builds and serves; Ctrl-C ends all of it in order',
    async () => {
      const [command, client] = await npm(['start'], {});
      await until(() => command.hasEnded || answers(client), BUILD_AND_START_MS);
      const { status, json } = await firstTask(client);
      expect([status, json.status]).toEqual([200, 'success']);
      command.signalGroup('SIGINT');
      await command.end();
      await until(async () => !(await answers(client)));
      // npm may end before the server that it has started.
      await until(() => command.stdout.includes('"msg":"stopped"'), 10_000);
    },
    BUILD_AND_START_MS * 2,
  );

  it(
    'npm start with a REGISTRY_URL registers there',
    async () => {
      const registry = await TestRegistry.start();
      const [command, client] = await npm(['start'], { REGISTRY_URL: registry.url });
      await until(() => command.hasEnded || registry.list.length > 0, BUILD_AND_START_MS);
      expect(registry.list).toEqual([expect.objectContaining({ name: 'orchestrator', endpoint: client.url })]);
      command.signalGroup('SIGINT');
      await command.end();
      await registry.stop();
    },
    BUILD_AND_START_MS * 2,
  );

  it(
    'npm run demo tells its story',
    async () => {
      const [command] = await npm(['run', 'demo', '--', '--once'], {});
      expect(await command.end(BUILD_AND_START_MS)).toEqual({ code: 0, signal: null });
      expect(command.stdout).toContain('8 tasks: 4 success, 3 error, 1 timeout.');
    },
    BUILD_AND_START_MS * 2,
  );

  it('node dist/main.js serves a task, and ends with 0 on SIGTERM', async () => {
    const server = await OrchestratorProcess.start();
    processes.push(server.process);
    expect((await firstTask(server)).json.status).toBe('success');
    expect(await server.leave()).toEqual({ code: 0, signal: null });
    await server.remove();
  });
});
