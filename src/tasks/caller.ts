import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidRequestError } from '../common/errors.js';
import type { Lifecycle } from '../common/lifecycle.js';
import { waitEnd } from '../inbound/wait-end.js';
import type { Caller } from './task.draft.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Who asks, from the request's headers. @throws InvalidRequestError for an Idempotency-Key that is not 1 to 255 visible ASCII characters */
export function callerOf({ id, headers, identity }: FastifyRequest, reply: FastifyReply, lifecycle: Lifecycle): Caller {
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
    waitEnd: waitEnd(reply, lifecycle),
  };
}
