import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { stopsAfterEach } from './support/outbound.cleanup.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { entry, TestRegistry } from './support/registry.js';
import { rawServer, reply, TestServer } from './support/server.js';

/** Endpoints that all mean a metadata service. */
const METADATA = [
  ...[
    '169.254.169.254',
    '169.254.169.254:80',
    '169.254.169.254:8080',
    '169.254.0.1',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
  ],
  ...['2852039166', '0xa9fea9fe', '0XA9FEA9FE', '025177524776', '0251.0376.0251.0376', '0xa9.0xfe.0xa9.0xfe', '169.254.43518'],
  ...['169.16689662', '0xa9.254.0251.254', '169.254.169.254.', '%31%36%39.254.169.254', '1684301000', '0xa83f8110'],
  ...['[fe80::1]', '[FE80::A9FE:A9FE]', '[febf::1]', '[fd00:ec2::254]', '[fd00:0ec2:0:0:0:0:0:254]', '[::ffff:169.254.169.254]'],
  ...['[::ffff:a9fe:a9fe]', '[0:0:0:0:0:ffff:a9fe:a9fe]', '[::169.254.169.254]', '[::ffff:0:169.254.169.254]'],
  ...[
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::a9fe:a9fe]',
    '[64:ff9b::6464:64c8]',
    '[2002:a9fe:a9fe::1]',
    '[::ffff:168.63.129.16]',
  ],
];

describe('a droplet that is registered at a metadata address', () => {
  let registry: TestRegistry;
  let orchestrator: TestOrchestrator;
  const attempted: string[] = [];

  /** Every address that any socket of this process tries to connect to, this machine's own apart. */
  const watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.on('connectionAttempt', (ip: string) => {
      if (ip !== '127.0.0.1') attempted.push(ip);
    });
  };

  beforeAll(async () => {
    const endpoints = METADATA.flatMap((host) => [`http://${host}`, `https://${host}/latest/`]);
    registry = await TestRegistry.start(endpoints.map((endpoint, index) => entry(index + 10, endpoint, endpoint)));
    orchestrator = await TestOrchestrator.start({ REGISTRY_URL: registry.url });
    subscribe('net.client.socket', watch);
  });
  afterAll(async () => {
    unsubscribe('net.client.socket', watch);
    await orchestrator.stop();
    await registry.stop();
  });

  it.each(METADATA)('%s is never called: one attempt, no connection, and the reason', async (host) => {
    for (const droplet_name of [`http://${host}`, `https://${host}/latest/`]) {
      for (const method of ['GET', 'POST']) {
        const { status, json } = await orchestrator.task({ droplet_name, method, path: '/meta-data/' });
        expect(status).toBe(200);
        expect(json).toMatchObject({ status: 'error', response_status: null, response_body: null, attempts: 1, retry_count: 1 });
        expect(json.error.code).toBe('DROPLET_UNREACHABLE');
        expect(json.error.details).toEqual({ effect: 'none', stopped_by: null, reason: 'address_refused' });
        const record = (await orchestrator.get(`/orchestrator/tasks/${json.task_id}`)).json;
        expect(record.error).toEqual(json.error);
        expect(record.history).toMatchObject([{ attempt: 1, response_status: null, error_code: 'DROPLET_UNREACHABLE' }]);
      }
    }
    expect(attempted).toEqual([]);
  });

  it('and the watch above would have seen a connection', async () => {
    const { connect } = await import('node:net');
    const socket = connect({ host: '127.0.0.2', port: 9 });
    await new Promise((resolve) => socket.once('error', resolve));
    expect(attempted.splice(0)).toEqual(['127.0.0.2']);
  });
});

describe('a neighbour of a metadata address', () => {
  const keep = stopsAfterEach();

  it.each(['127.1', '0x7f000001', '2130706433', '0177.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
    'is called, however it is spelled: %s',
    async (host) => {
      const droplet = keep(await TestServer.start((_seen, response) => reply(response, 200, { called: true })));
      const registry = keep(await TestRegistry.start([entry(3, 'near', `http://${host}:${droplet.port}/base/`)]));
      const orchestrator = keep(await TestOrchestrator.start({ REGISTRY_URL: registry.url }));
      const { json } = await orchestrator.task({ droplet_name: 'near', path: '/x' });
      expect(json).toMatchObject({ status: 'success', target_url: `http://${host}:${droplet.port}/base/x` });
      expect(droplet.seen.map(({ url }) => url)).toEqual(['/base/x']);
    },
  );
});

describe('proxy variables', () => {
  const keep = stopsAfterEach();
  const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'NODE_USE_ENV_PROXY'];
  const before = new Map([...NAMES, 'NO_PROXY', 'no_proxy'].map((name) => [name, process.env[name]]));

  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('are never read: a proxy set in all of them gets no hit', async () => {
    const sink = keep(await rawServer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')));
    const droplet = keep(await TestServer.start((_seen, response) => reply(response, 200, { direct: true })));
    const registry = keep(
      await TestRegistry.start([entry(3, 'near', droplet.url), entry(4, 'tls', droplet.url.replace('http', 'https'))]),
    );
    for (const name of ['NO_PROXY', 'no_proxy']) Reflect.deleteProperty(process.env, name);
    for (const name of NAMES) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : sink.url;
    const orchestrator = keep(await TestOrchestrator.start({ REGISTRY_URL: registry.url }));
    expect((await orchestrator.task({ droplet_name: 'near', path: '/x' })).json.response_body).toEqual({ direct: true });
    expect((await orchestrator.task({ droplet_name: 'tls', path: '/x' })).json.error.code).toBe('DROPLET_UNREACHABLE');
    expect(registry.server.hits('/droplets')).toBeGreaterThan(0);
    expect(sink.connections()).toBe(0);
  });
});
