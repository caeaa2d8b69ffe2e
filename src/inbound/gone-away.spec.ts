import { createServer, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/http.client.js';
import { goneAway } from './gone-away.js';

describe('a caller that hangs up', () => {
  let latest: { gone: () => AbortSignal; response: ServerResponse } | undefined;
  const server = createServer((_request, response) => {
    latest = { gone: goneAway({ raw: response }), response };
  });

  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  async function call() {
    latest = undefined;
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return { socket, ...(await until(() => latest)) };
  }

  it('is noticed', async () => {
    const { socket, gone } = await call();
    const signal = gone();
    expect(signal.aborted).toBe(false);
    socket.destroy();
    await until(() => signal.aborted);
    expect(gone()).toBe(signal);
  });

  it('is noticed also by who asks only afterwards', async () => {
    const { socket, gone, response } = await call();
    socket.destroy();
    await until(() => response.closed);
    expect(gone().aborted).toBe(true);
  });

  it('is not confused with one that got its answer', async () => {
    const { gone, response } = await call();
    const signal = gone();
    response.end('done');
    await until(() => response.closed);
    expect([signal.aborted, gone().aborted]).toEqual([false, false]);
  });
});
