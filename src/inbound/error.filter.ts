import { Catch, HttpException, ServiceUnavailableException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../common/clock.js';
import { OrchestratorError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import type { Metrics } from '../metrics/metrics.js';
import { errorBody, errorReply, replyOf, type ErrorReply } from './error.reply.js';
import { routeOf, type RouteTable } from './route.table.js';

interface Failure {
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Turns everything that is thrown into the one error shape; the text of an unexpected error stays in the log. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const answer = request.is404 ? this.noRoute(request) : forRoute(toReply(error), request);
    this.send(answer, { error, request, reply: http.getResponse<FastifyReply>() });
  }

  /** Serves Fastify, for a URL that it refuses before it looks for a route. */
  refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    this.send(toReply(error), { error, request, reply });
  }

  private send(answer: ErrorReply, { error, request, reply }: Failure): void {
    this.metrics.requestFailed(request.method, routeOf(request), answer.code);
    if (answer.status >= 500) this.tell(answer, error, request);
    void reply
      .code(answer.status)
      .headers({ ...answer.headers, 'x-request-id': request.id })
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(errorBody(answer, this.clock.now())));
  }

  /**
   * What is refused on purpose is no fault of ours: it comes in thousands while a droplet is down, and needs no stack. A
   * refusal with a cause, a store that cannot be written, is one.
   */
  private tell({ code }: ErrorReply, error: unknown, { id }: FastifyRequest): void {
    if (error instanceof OrchestratorError && error.cause === undefined)
      this.log.info({ request_id: id, code, reason: error.message }, 'request refused');
    else this.log.error({ request_id: id, err: error, code }, 'request failed');
  }

  /** 405 for a path that has routes under other methods, 404 for any other. */
  private noRoute({ method, url }: FastifyRequest): ErrorReply {
    const [path = '/'] = url.split('?', 1);
    const allowed = this.routes.allowed(path);
    if (allowed.length === 0) return errorReply('NOT_FOUND', `There is no ${path}`);
    return errorReply('METHOD_NOT_ALLOWED', `${method} is not allowed here`, { headers: { allow: allowed.join(', ') } });
  }
}

function toReply(error: unknown): ErrorReply {
  if (error instanceof OrchestratorError) return replyOf(error);
  if (error instanceof ServiceUnavailableException) return notReady(error);
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error.message);
  // Fastify's own words repeat the URL, and no value is echoed.
  if (isFastifyError(error, 'FST_ERR_BAD_URL')) return ofStatus(400, 'The URL has an escape that stands for no character');
  if (error instanceof Error && 'statusCode' in error) return ofStatus((error as FastifyError).statusCode ?? 500, error.message);
  return errorReply('INTERNAL_ERROR', 'Internal error');
}

const isFastifyError = (error: unknown, code: string): boolean => error instanceof Error && (error as FastifyError).code === code;

/** A droplet that is itself the resource that was asked for is missing, not a wrong field; contract §1. */
function forRoute(reply: ErrorReply, request: FastifyRequest): ErrorReply {
  const isResource = reply.code === 'DROPLET_NOT_FOUND' && request.url.startsWith('/droplets/');
  return isResource ? { ...reply, status: 404 } : reply;
}

/** Terminus throws its result when a probe fails. */
function notReady(error: ServiceUnavailableException): ErrorReply {
  const result = error.getResponse() as { error?: Record<string, unknown> };
  const failing = result.error ?? {};
  return errorReply('NOT_READY', `Not ready: ${Object.keys(failing).join(', ')}`, { details: failing });
}

/** For what Fastify and Nest refuse by themselves. */
function ofStatus(status: number, message: string): ErrorReply {
  switch (status) {
    case 404:
      return errorReply('NOT_FOUND', message);
    case 413:
      return errorReply('PAYLOAD_TOO_LARGE', 'The body is too large');
    case 415:
      return errorReply('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON: application/json or application/*+json');
    case 408:
    case 414:
    case 431:
      return errorReply('INVALID_REQUEST', message, { status, details: { errors: [{ field: 'request', message }] } });
    default:
      return status >= 400 && status < 500
        ? errorReply('INVALID_REQUEST', message, { details: { errors: [{ field: 'request', message }] } })
        : errorReply('INTERNAL_ERROR', 'Internal error');
  }
}
