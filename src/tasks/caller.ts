import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidRequestError } from '../common/errors.js';
import { goneAway } from '../inbound/gone-away.js';
import type { Caller } from './task.draft.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Who asks, from the request's headers. @throws InvalidRequestError for an Idempotency-Key that is not 1 to 255 visible ASCII characters */
export function callerOf({ id, headers, identity }: FastifyRequest, reply: FastifyReply): Caller {
  const key = headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !KEY.test(key))) {
    throw InvalidRequestError.of('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  const traceparent = headers.traceparent;
  return {
    identity,
    requestId: id,
    traceparent: typeof traceparent === 'string' ? traceparent : null,
    idempotencyKey: key ?? null,
    goneAway: goneAway(reply),
  };
}
