import { createServer, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/http.client.js';
import { Lifecycle } from '../common/lifecycle.js';
import { waitEnd } from './wait-end.js';

describe('the wait of a caller', () => {
  let lifecycle: Lifecycle;
  let latest: { end: () => AbortSignal; response: ServerResponse } | undefined;
  const server = createServer((_request, response) => {
    latest = { end: waitEnd({ raw: response }, lifecycle), response };
  });

  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  beforeEach(() => {
    lifecycle = new Lifecycle();
  });
  afterEach(() => server.closeAllConnections());
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  async function call() {
    latest = undefined;
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return { socket, ...(await until(() => latest)) };
  }

  it('ends when it hangs up', async () => {
    const { socket, end } = await call();
    const signal = end();
    expect(signal.aborted).toBe(false);
    socket.destroy();
    await until(() => signal.aborted);
    expect(end()).toBe(signal);
  });

  it('has ended, to who asks only after it hung up', async () => {
    const { socket, end, response } = await call();
    socket.destroy();
    await until(() => response.closed);
    expect(end().aborted).toBe(true);
  });

  it('does not end for one that got its answer, nor with a drain after that', async () => {
    const { end, response } = await call();
    const signal = end();
    response.end('done');
    await until(() => response.closed);
    lifecycle.beginDrain();
    expect([signal.aborted, end().aborted]).toEqual([false, false]);
  });

  it('ends with the drain, for all who wait and for who comes later', async () => {
    const [first, second, later] = [await call(), await call(), await call()];
    const signals = [first.end(), second.end()];
    lifecycle.beginDrain();
    expect([...signals, later.end()].map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });
});
