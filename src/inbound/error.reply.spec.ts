import { describe, expect, it } from '@jest/globals';
import { ConflictError, DropletNotFoundError, InvalidRequestError, StorageUnavailableError } from '../common/errors.js';
import { errorBody, errorReply, replyOf } from './error.reply.js';

const NOON = Date.UTC(2026, 0, 1, 12);

describe('an error as it goes out', () => {
  it('says the pair twice: at the top, and under detail for v1.1.0 clients', () => {
    const error = { code: 'CONFLICT', message: 'no', details: { why: 1 } };
    expect(errorBody(replyOf(new ConflictError('no', { why: 1 })), NOON)).toEqual({
      ...{ status: 'error', error, timestamp: '2026-01-01T12:00:00.000Z' },
      detail: { status: 'error', error },
    });
  });

  it('details are null when there are none', () => {
    expect(errorBody(errorReply('NOT_FOUND', 'none'), NOON)).toMatchObject({
      error: { details: null },
      detail: { error: { details: null } },
    });
  });

  it('a caller that may try again is told when', () => {
    expect(replyOf(new StorageUnavailableError())).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(replyOf(InvalidRequestError.of('a', 'is wrong')).headers).toEqual({});
  });

  it('lists at most a hundred droplets', () => {
    const names = Array.from({ length: 150 }, (_, index) => `d${index}`);
    const { status, details } = replyOf(new DropletNotFoundError('x', names));
    expect([status, details]).toEqual([400, { requested_droplet: 'x', available_droplets: names.slice(0, 100) }]);
  });
});
