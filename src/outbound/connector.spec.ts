import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { stopsAfterEach } from '../../test/support/outbound.cleanup.js';
import { freePort, rawServer } from '../../test/support/server.js';
import { AddressRefusedError, isNotPublicAddress, isRefusedAddress } from './address.guard.js';
import { guardedConnector, NotSentError } from './connector.js';

const toDroplets = guardedConnector(isRefusedAddress);
const toCallers = guardedConnector(isNotPublicAddress);

/** Opens a connection and closes it; resolves with the error, or null. */
const open = (hostname: string, port: number | string, protocol = 'http:', connect = toDroplets): Promise<Error | null> =>
  new Promise((resolve) =>
    connect({ hostname, host: hostname, protocol, port: String(port) }, (...[error, socket]: [Error, null] | [null, Socket]) => {
      socket?.destroy();
      resolve(error);
    }),
  );

describe('connector', () => {
  const keep = stopsAfterEach();

  it('opens a connection to a good address', async () => {
    const server = keep(await rawServer(() => undefined));
    expect(await open('127.0.0.1', new URL(server.url).port)).toBeNull();
    expect(await open('localhost', new URL(server.url).port)).toBeNull();
  });

  it.each(['169.254.169.254', '100.100.100.200', 'fe80::1', '[fe80::1]', '::ffff:a9fe:a9fe', 'fd00:ec2::254'])(
    'refuses the address %s before it connects',
    async (address) => {
      expect(await open(address, 80)).toBeInstanceOf(AddressRefusedError);
      expect(await open(address, 443, 'https:')).toBeInstanceOf(AddressRefusedError);
    },
  );

  // No address to us, but the machine's resolver maps it to 169.254.169.254.
  it.each(['http:', 'https:'])('refuses a name that resolves to one (%s)', async (protocol) => {
    expect(await open('2852039166', 80, protocol)).toBeInstanceOf(AddressRefusedError);
  });

  it.each(['127.0.0.1', '::1', 'localhost', '10.0.0.1', '::ffff:127.0.0.1'])(
    'never reaches %s when only public addresses may be called',
    async (host) => {
      const server = keep(await rawServer(() => undefined));
      expect(await open(host, new URL(server.url).port, 'http:', toCallers)).toBeInstanceOf(AddressRefusedError);
      expect(server.connections()).toBe(0);
    },
  );

  it('says that nothing was sent when nobody listens', async () => {
    const error = await open('127.0.0.1', await freePort());
    expect(error).toBeInstanceOf(NotSentError);
    expect(error?.message).toMatch(/^Connection failed: .*ECONNREFUSED/);
  });

  it('says what failed for a name with several addresses, each of which refuses', async () => {
    const error = await open('localhost', await freePort());
    expect(error).toBeInstanceOf(NotSentError);
    expect(error?.message).toMatch(/^Connection failed: .+/);
  });

  it('says that nothing was sent when the name is unknown', async () => {
    expect(await open('no-such-droplet.invalid', 80)).toBeInstanceOf(NotSentError);
  });

  it('says that nothing was sent when TLS fails', async () => {
    const server = keep(await rawServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await open('127.0.0.1', new URL(server.url).port, 'https:')).toBeInstanceOf(NotSentError);
  });
});
