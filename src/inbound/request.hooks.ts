import type { FastifyInstance } from 'fastify';
import { NOBODY } from '../common/access.js';
import { InvalidRequestError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { RequestCounter } from '../metrics/request.counter.js';
import { routeOf } from './route.table.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the call of a synchronous task took, its waits included; null for other requests. */
    calledMs: number | null;
  }
}

/** Who is told of every request. */
export interface RequestListeners {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly counter: RequestCounter;
}

/** Gives every answer its request id, and tells log and figures of it. The log gets the route, never the query. */
export function useRequestHooks(fastify: FastifyInstance, { log, metrics, counter }: RequestListeners): void {
  fastify.decorateRequest('identity');
  fastify.decorateRequest('calledMs', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    request.identity = NOBODY;
    reply.header('x-request-id', request.id);
    const isHostMissing = request.headers.host === undefined && request.raw.httpVersion === '1.1';
    done(isHostMissing ? InvalidRequestError.of('host', 'is missing') : undefined);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const { statusCode: status, elapsedTime } = reply;
    const route = routeOf(request);
    metrics.requestAnswered(method, route, status);
    counter.answered(status);
    if (request.calledMs !== null) metrics.routed(elapsedTime - request.calledMs);
    log.debug({ request_id: request.id, method, route, status, duration_ms: Math.round(elapsedTime) }, 'request answered');
    done();
  });
}
