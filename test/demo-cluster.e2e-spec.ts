import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { until } from './support/http.client.js';
import { NODE, ROOT, tempFolder, TestProcess } from './support/process.js';

const DEMO_MS = 120_000;
const STARTED = ['postgresql', 'replica-1', 'replica-2', 'replica-3', 'counter'];

interface Started {
  readonly name: string;
  readonly pid: number;
}

/** The processes that the demo says it has started. */
const startedBy = ({ stdout }: TestProcess): Started[] =>
  [...stdout.matchAll(/^(\S+) .*pid (\d+)$/gm)].map(([, name = '', pid]) => ({ name, pid: Number(pid) }));

function isRunning({ pid }: Started): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the demo of three replicas', () => {
  const folder = tempFolder();
  // As root, its PostgreSQL runs as nobody, who must get through to its files.
  chmodSync(folder, 0o711);
  const demos: TestProcess[] = [];

  /** Its files go below a folder of ours, so that we see what stays. */
  const start = (): TestProcess => {
    const demo = new TestProcess(NODE, [path.join(ROOT, 'demo/cluster.mjs')], { cwd: ROOT, environment: { TMPDIR: folder } });
    demos.push(demo);
    return demo;
  };

  /** Processes that run, files that stay, and commands that name a file below our folder. */
  const leftBehind = (demo: TestProcess): unknown[] => [
    ...startedBy(demo).filter(isRunning),
    ...readdirSync(folder),
    ...execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((command) => command.includes(folder)),
  ];

  afterEach(async () => {
    for (const demo of demos.splice(0)) {
      await demo.kill();
      for (const { pid } of startedBy(demo).filter(isRunning)) process.kill(pid, 'SIGKILL');
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    'loses no task of a replica that is killed, says what was called twice, and leaves nothing behind',
    async () => {
      const demo = start();
      expect(await demo.end(DEMO_MS)).toEqual({ code: 0, signal: null });
      expect(demo.stderr).toBe('');
      const started = startedBy(demo);
      expect(started.map(({ name }) => name)).toEqual(STARTED);
      expect(demo.stdout).toMatch(`kill -9 ${started[2]?.pid}: replica-2 is dead, `);
      expect(demo.stdout).toMatch(/^accepted {2}300 of 300; \d+ were sent to another replica/m);
      expect(demo.stdout).toMatch(/^finished {2}300, of which 300 success$/m);
      expect(demo.stdout).toMatch(/^lost {6}0$/m);
      const [calls = 0, twice = 0] = /^calls {5}(\d+): (\d+) tasks/m.exec(demo.stdout)?.slice(1).map(Number) ?? [];
      expect(twice).toBeGreaterThan(0);
      expect(calls).toBe(300 + twice);
      expect(demo.stdout).toMatch(/at least once, not exactly once/);
      expect(demo.stdout).toMatch(/^the dead {2}[1-9]\d* of its calls were cut off; the last .* \d+\.\d s after the kill$/m);
      expect(leftBehind(demo)).toEqual([]);
    },
    DEMO_MS + 5000,
  );

  it(
    'ends all of it on Ctrl-C in the middle',
    async () => {
      const demo = start();
      await until(() => demo.hasEnded || demo.stdout.includes('is dead'), DEMO_MS);
      demo.signalGroup('SIGINT');
      expect(await demo.end()).toEqual({ code: 0, signal: null });
      expect(startedBy(demo).map(({ name }) => name)).toEqual(STARTED);
      expect(leftBehind(demo)).toEqual([]);
    },
    DEMO_MS + 25_000,
  );

  it.each(['initdb.log', 'postgresql.log', 'replica-1.log'])(
    'ends all of it on Ctrl-C while it starts (at %s)',
    async (log) => {
      const demo = start();
      await until(
        () => demo.hasEnded || readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith(log)),
        DEMO_MS,
      );
      demo.signalGroup('SIGINT');
      expect(await demo.end()).toEqual({ code: 0, signal: null });
      expect(leftBehind(demo)).toEqual([]);
    },
    DEMO_MS + 25_000,
  );
});
