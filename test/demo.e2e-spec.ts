import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { HttpClient, until } from './support/http.client.js';
import { NODE, ROOT, tempFolder, TestProcess } from './support/process.js';

const DEMO_MS = 60_000;

/** The processes that the demo says it has started. */
const pidsIn = (output: string): number[] => [...output.matchAll(/pid (\d+)$/gm)].map(([, pid]) => Number(pid));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the demo', () => {
  const folder = tempFolder();
  const demos: TestProcess[] = [];

  /** Its files go below a folder of ours, so that we see what stays. */
  const start = (...args: string[]): TestProcess => {
    const demo = new TestProcess(NODE, [path.join(ROOT, 'demo/demo.mjs'), ...args], {
      cwd: ROOT,
      environment: { TMPDIR: folder },
    });
    demos.push(demo);
    return demo;
  };

  afterEach(async () => {
    for (const demo of demos.splice(0)) {
      await demo.kill();
      for (const pid of pidsIn(demo.stdout).filter(isRunning)) process.kill(pid, 'SIGKILL');
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    'tells with --once what was retried and why, then leaves nothing behind',
    async () => {
      const demo = start('--once');
      expect(await demo.end(DEMO_MS)).toEqual({ code: 0, signal: null });
      expect(demo.stderr).toBe('');
      expect(demo.stdout).toMatch(/GET \/hello at healthy: success\n {3}attempt 1: answered 200/);
      expect(demo.stdout).toMatch(
        /GET \/invoice at flaky: success(\n.*answered 503.*a 5xx may pass, so called again \d+ ms later){2}\n.*answered 200/,
      );
      expect(demo.stdout).toMatch(/GET \/broken at flaky: error(\n.*answered 503.*){3}\n.*it had all the attempts/);
      expect(demo.stdout).toMatch(/POST \/charge at flaky: error\n.*answered 503.*\n.*retry_unsafe is false/);
      expect(demo.stdout).toMatch(/GET \/missing at healthy: error\n.*answered 404.*\n.*the same answer/);
      expect(demo.stdout).toMatch(/GET \/report at slow: timeout\n.*no answer in time after 3\d\d ms/);
      expect(demo.stdout).toContain('8 tasks: 4 success, 3 error, 1 timeout.');
      expect(pidsIn(demo.stdout)).toHaveLength(5);
      expect(pidsIn(demo.stdout).filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    DEMO_MS + 5000,
  );

  it(
    'stays up for more until Ctrl-C, which ends all of it',
    async () => {
      const demo = start();
      await until(() => demo.hasEnded || demo.stdout.includes('Ctrl-C ends all of it'), DEMO_MS);
      const [url = ''] = /http:\S+(?=, logs in)/.exec(demo.stdout) ?? [];
      const { json } = await new HttpClient(url).get('/orchestrator/droplets');
      expect(json.droplets.map(({ name }: { name: string }) => name).sort()).toEqual(
        expect.arrayContaining(['flaky', 'healthy', 'slow']),
      );
      demo.signalGroup('SIGINT');
      expect(await demo.end()).toEqual({ code: 0, signal: null });
      expect(pidsIn(demo.stdout)).toHaveLength(5);
      expect(pidsIn(demo.stdout).filter(isRunning)).toEqual([]);
    },
    DEMO_MS + 25_000,
  );

  it('ends all of it also when Ctrl-C comes while it starts', async () => {
    const demo = start();
    await until(() => readdirSync(folder).length > 0);
    demo.signalGroup('SIGINT');
    expect(await demo.end()).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder)).toEqual([]);
  });
});
