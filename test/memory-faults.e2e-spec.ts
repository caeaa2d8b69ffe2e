import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { MisbehavingDroplet, pours, says } from './support/misbehaving.droplet.js';
import { until } from './support/http.client.js';
import { OrchestratorProcess } from './support/process.js';
import { rawServer } from './support/server.js';

const MIB = 1_048_576;
const PIECE = Buffer.alloc(MIB, 'x');
/** Twenty times this limit, the sockets' own buffers, and what V8 has not yet given back. */
const LIMIT = MIB;
const FLAT = 150;
const TIMES = 20;
const BOMB = gzipSync(Buffer.alloc(200 * MIB));

const mebibytes = ({ process: { pid } }: OrchestratorProcess, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('the memory of a process of its own', () => {
  let droplet: MisbehavingDroplet;
  let server: OrchestratorProcess;

  beforeAll(async () => {
    droplet = await MisbehavingDroplet.start({
      '/100-mb': pours(`HTTP/1.1 200 OK\r\ncontent-length: ${100 * MIB}\r\n\r\n`, PIECE, 100),
      '/100-mb-unannounced': pours('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n', PIECE, 100),
      '/endless': pours(
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
        `${MIB.toString(16)}\r\n${PIECE.toString()}\r\n`,
        Infinity,
      ),
      '/bomb': says(
        Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${BOMB.length}\r\n\r\n`), BOMB]),
      ),
      '/small': says('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
    });
    server = await OrchestratorProcess.start({ RESPONSE_LIMIT: String(LIMIT), LOG_LEVEL: 'warn' });
    await server.post('/register', { name: 'fat', url: droplet.url });
    await Promise.all(Array.from({ length: TIMES }, () => server.task({ droplet_name: 'fat', path: '/small' })));
  });
  afterAll(async () => {
    await server.remove();
    await droplet.stop();
  });

  it.each([
    ['/100-mb', 'RESPONSE_TOO_LARGE'],
    ['/100-mb-unannounced', 'RESPONSE_TOO_LARGE'],
    ['/endless', 'RESPONSE_TOO_LARGE'],
    ['/bomb', undefined],
  ])('stays flat when a droplet answers with %s, twenty times at once', async (path, code) => {
    const before = mebibytes(server, 'VmRSS');
    const asked = Array.from({ length: TIMES }, () => server.task({ droplet_name: 'fat', path }));
    const answers = await Promise.all(asked);
    expect(answers.map(({ json }) => json.error?.code)).toEqual(Array(TIMES).fill(code));
    // The highest that it ever was, not what it is after the storm.
    expect(mebibytes(server, 'VmHWM') - before).toBeLessThan(FLAT);
  });

  it('stays flat when the Registry answers with a gigabyte, which is cut off', async () => {
    const way = pours('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n["', PIECE, 1024);
    let written = 0;
    const registry = await rawServer((socket) => {
      socket.once('data', () => way(socket));
      socket.once('close', () => (written += socket.bytesWritten));
    });
    const reader = await OrchestratorProcess.start({ REGISTRY_URL: registry.url, LOG_LEVEL: 'silent' });
    try {
      const health = async (): Promise<any> => (await reader.get('/orchestrator/health')).json.dependencies.registry;
      const { error } = await until(async () => {
        const now = await health();
        return now.status === 'degraded' && now;
      });
      expect(error).toMatch(/larger than 5242880 bytes/);
      // Up to 150 MiB are the process itself.
      expect(mebibytes(reader, 'VmHWM')).toBeLessThan(150 + FLAT);
      await until(() => written > 0);
      expect((await reader.get('/orchestrator/health/live')).status).toBe(200);
    } finally {
      await reader.remove();
      await registry.stop();
    }
    expect(written).toBeLessThan(1024 * MIB);
  });
});
