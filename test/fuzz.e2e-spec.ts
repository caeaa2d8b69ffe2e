import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fuzzRoutes } from './fuzz/fuzz.routes.js';
import { Fuzzer } from './fuzz/fuzzer.js';
import { OrchestratorProcess, ROOT } from './support/process.js';

const SECONDS = 20;
/** What garbage collection may leave lying about; a leak of 100 bytes a request would be less, and is for `npm run fuzz`. */
const GROWTH_MIB = 128;
const seed = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);

/** `METHOD /path` of every handler, as the decorators have it. */
function routesOfSource(): string[] {
  const texts = globSync('src/**/*.controller.ts', { cwd: ROOT }).map((file) => readFileSync(path.join(ROOT, file), 'utf8'));
  return texts.flatMap((text) => {
    const [, folder = ''] = /@Controller\('?([^')]*)'?\)/.exec(text) ?? [];
    return [...text.matchAll(/^ {2}@(Get|Post|Put|Patch|Delete|All)\('?([^')]*)'?\)/gm)].map(
      ([, verb = '', rest = '']) => `${verb.toUpperCase()} /${[folder, rest].filter(Boolean).join('/')}`,
    );
  });
}

describe('the fuzzers, for a while', () => {
  let fuzzer: Fuzzer;

  beforeAll(async () => {
    fuzzer = await Fuzzer.start();
  }, 40_000);
  afterAll(() => fuzzer.stop());

  it('know every route that there is', () => {
    const fuzzed = fuzzRoutes({ droplet: 'http://droplet', canary: 'http://canary' }).map(
      ({ method, path: route }) => `${method} ${route}`,
    );
    expect(routesOfSource().length).toBeGreaterThan(25);
    expect(fuzzed.sort()).toEqual(routesOfSource().sort());
  });

  it('have found this: a CONNECT whose client resets the connection does not end the process', async () => {
    const server = await OrchestratorProcess.start();
    try {
      for (let time = 0; time < 50; time++) {
        const socket = net.connect(server.port, '127.0.0.1').on('error', () => undefined);
        await once(socket, 'connect');
        await new Promise<void>((resolve) => void socket.write('CONNECT evil:443 HTTP/1.1\r\n\r\n', () => resolve()));
        socket.resetAndDestroy();
      }
      expect((await server.get('/orchestrator/health/live')).status).toBe(200);
      expect(server.process.hasEnded).toBe(false);
    } finally {
      await server.remove();
    }
  }, 40_000);

  it('find no 500, no answer of another shape, no end of the process, no socket left open, no log line that is not JSON', async () => {
    const { requests, connections, statuses, memory, logLines } = await fuzzer.run({ seconds: SECONDS, seed });
    // Were all of it refused for one reason, it would say nothing.
    expect(requests).toBeGreaterThan(300);
    expect(connections).toBeGreaterThan(50);
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '202', '400', '404', '405', '409', '413', '415']));
    expect(logLines).toBeGreaterThan(20);
    expect(memory.end - memory.warm).toBeLessThan(GROWTH_MIB);
  }, 120_000);
});
