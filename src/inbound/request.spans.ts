import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Spans } from '../tracing/spans.js';
import { routeOf } from './route.table.js';
import { whenOver } from './when-over.js';

/** Asked every few seconds by machines: their spans would be most of what is collected. */
const UNTRACED = /^\/(health|metrics)(\/|$)/;

/** Gives every request but probes and scrapes a span; what follows from the request finds it as its `traceparent`. */
export function useRequestSpans(fastify: FastifyInstance, spans: Spans): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (UNTRACED.test(routeOf(request))) return done();
    const span = spans.request(traced(request));
    request.headers.traceparent = span.traceparent;
    whenOver(request, reply, () => span.end(reply.raw.writableFinished ? reply.statusCode : null));
    span.run(done);
  });
}

const traced = (request: FastifyRequest) => ({
  ...{ id: request.id, method: request.method, headers: request.headers, httpVersion: request.raw.httpVersion },
  route: request.is404 ? null : routeOf(request),
  path: request.originalUrl.replace(/\?.*$/, ''),
});
