import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { ManualClock } from '../../test/support/manual.clock.js';
import { ReadableLog } from '../../test/support/registry.parts.js';
import { OverloadedError, RegistryUnavailableError, StorageUnavailableError } from '../common/errors.js';
import { Metrics } from '../metrics/metrics.js';
import { ErrorFilter } from './error.filter.js';
import { RouteTable } from './route.table.js';

let server: FastifyInstance;
let log: ReadableLog;
let thrown: unknown;

beforeEach(() => {
  server = fastify();
  log = new ReadableLog();
  const filter = new ErrorFilter(new RouteTable(server), new ManualClock(), log.log, new Metrics());
  server.setErrorHandler((error, request, reply) => filter.refuse(error, request, reply));
  server.get('/', () => {
    throw thrown;
  });
});
afterEach(() => server.close());

async function linesFor(error: unknown): Promise<[status: number, lines: Record<string, any>[]]> {
  thrown = error;
  const { statusCode } = await server.inject('/');
  return [statusCode, log.lines];
}

describe('what the log is told of an answer of 5xx', () => {
  it.each([new OverloadedError('too much'), new RegistryUnavailableError(), new StorageUnavailableError()])(
    'is the reason of a refusal on purpose, and no stack: %s',
    async (error) => {
      const [status, lines] = await linesFor(error);
      expect([status, lines.length]).toEqual([503, 1]);
      expect(lines[0]).toMatchObject({ level: 'info', code: error.code, reason: error.message, msg: 'request refused' });
    },
  );

  it('is the whole error of a refusal that has a cause, the cause included', async () => {
    const [status, lines] = await linesFor(new StorageUnavailableError(new Error('disk full')));
    expect([status, lines.length]).toEqual([503, 1]);
    expect(lines[0]).toMatchObject({ level: 'error', code: 'STORAGE_UNAVAILABLE', msg: 'request failed' });
    expect(lines[0]?.err.message).toContain('disk full');
    expect(lines[0]?.err.stack).toContain('disk full');
  });

  it('is the whole error of what nobody expected', async () => {
    const [status, lines] = await linesFor(new TypeError('no such thing'));
    expect(status).toBe(500);
    expect(lines).toEqual([expect.objectContaining({ level: 'error', code: 'INTERNAL_ERROR', msg: 'request failed' })]);
  });
});
