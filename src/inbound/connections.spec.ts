import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/http.client.js';
import { RawConnection } from '../../test/support/raw.client.js';
import { SystemClock } from '../common/clock.js';
import { Connections } from './connections.js';

/** A clock whose monotonic time stands still until it is moved. */
class StillClock extends SystemClock {
  time = 0;

  override monotonic(): number {
    return this.time;
  }
}

describe('connections during the drain', () => {
  let server: Server;
  let clock: StillClock;
  let connections: Connections;
  let responses: ServerResponse[];
  let client: RawConnection;

  beforeEach(async () => {
    clock = new StillClock();
    responses = [];
    server = createServer((_request, response) => void responses.push(response));
    connections = new Connections(server, clock);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    client = await RawConnection.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await until(() => !connections.isEmpty);
  });

  afterEach(async () => {
    client.destroy();
    connections.destroy();
    await until(() => connections.isEmpty);
    server.close();
  });

  const request = async (): Promise<ServerResponse> => {
    const count = responses.length;
    client.request('GET', '/');
    return until(() => responses[count]);
  };

  it('one that never sent a request is closed after a second, not before', async () => {
    clock.time = 999;
    connections.closeIdle();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.isClosed).toBe(false);
    clock.time = 1000;
    connections.closeIdle();
    await client.closed();
    await until(() => connections.isEmpty);
  });

  it('one with a request is not idle, however long that takes; its second begins with the answer', async () => {
    const response = await request();
    clock.time = 60_000;
    connections.closeIdle();
    response.setHeader('content-length', 0).end();
    expect((await client.answer()).status).toBe(200);
    await until(() => response.closed);
    clock.time = 60_999;
    connections.closeIdle();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.isClosed).toBe(false);
    clock.time = 61_000;
    connections.closeIdle();
    await client.closed();
  });

  it('an answer that is due when the drain begins asks the client to leave, as do all after it', async () => {
    const response = await request();
    connections.stopAccepting();
    response.setHeader('content-length', 0).end();
    expect((await client.answer()).headers.connection).toBe('close');
    await client.closed();
  });

  it('a request that comes during the drain is served and asked to leave', async () => {
    connections.stopAccepting();
    const response = await request();
    response.setHeader('content-length', 0).end();
    expect((await client.answer()).headers.connection).toBe('close');
  });

  it('an answer that is half sent is left alone', async () => {
    const response = await request();
    response.writeHead(200, { 'content-length': 4 }).write('ab');
    connections.stopAccepting();
    response.end('cd');
    expect(client.isClosed).toBe(false);
    await until(() => client.text.endsWith('abcd'));
  });

  it('what is still open in the end is cut', async () => {
    await request();
    connections.destroy();
    await client.closed();
  });
});
