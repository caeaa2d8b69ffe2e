import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidRequestError } from '../common/errors.js';
import type { Settings } from '../config/settings.js';
import { hasUnusualNumber, isJsonObject, parseExact, structureFault } from '../common/json.js';

const JSON_TYPE = /^application\/(?:[^;]+\+)?json\s*(?:;|$)/i;

/** Fastify's own error for a body of a type that nobody parses. */
class UnsupportedMediaTypeError extends Error {
  readonly statusCode = 415;
}

/** The body of this route is a list of tasks: it may be larger, and the limits on structure hold for each task. */
const BATCH_ROUTE = '/tasks/batch';
const BATCH_FACTOR = 16;

/** Replaces Fastify's parsers: JSON only, checked before anything walks it; an empty body is no body. */
export function useJsonBodies(fastify: FastifyInstance, { BODY_LIMIT }: Settings): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url === BATCH_ROUTE) route.bodyLimit = BATCH_FACTOR * BODY_LIMIT;
  });
  fastify.addHook('onRequest', ({ headers }, _reply, done) => {
    // Fastify refuses a type that it cannot read before it sees that there is no body.
    if (hasNoBody(headers) || headers['content-type'] === '') delete headers['content-type'];
    done();
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseBody(request, body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
}

const hasNoBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const type = request.headers['content-type'];
  if (type !== undefined && !JSON_TYPE.test(type)) throw new UnsupportedMediaTypeError();
  const text = body.toString('utf8');
  const value = parsed(body, () => JSON.parse(text) as unknown);
  if (request.routeOptions.url === BATCH_ROUTE) refuseBatchFaults(value);
  else refuseFault('body', value);
  return hasUnusualNumber(text) ? withExactPayloads(value, parseExact(text)) : value;
}

/** @throws InvalidRequestError when the structure of this part of a body is refused */
function refuseFault(part: string, value: unknown): void {
  const fault = structureFault(value);
  if (fault) throw InvalidRequestError.of(part, fault);
}

/** What a batch holds beside its tasks, and each task by itself. @throws InvalidRequestError */
function refuseBatchFaults(value: unknown): void {
  if (!isJsonObject(value) || !Array.isArray(value.tasks)) return refuseFault('body', value);
  refuseFault('body', { ...value, tasks: null });
  for (const [index, task] of value.tasks.entries()) refuseFault(`tasks.${index}`, task);
}

function parsed(body: Buffer, parse: () => unknown): unknown {
  if (!isUtf8(body)) throw InvalidRequestError.of('body', 'is not UTF-8');
  try {
    return parse();
  } catch {
    throw InvalidRequestError.of('body', 'is not valid JSON');
  }
}

/** The body as JavaScript reads it, except that each `payload` keeps its numbers as they were written. */
function withExactPayloads(value: unknown, exact: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const source = exact as Record<string, unknown>;
  for (const [name, child] of Object.entries(value)) {
    const kept = name === 'payload' ? source[name] : withExactPayloads(child, source[name]);
    if (kept !== child) (value as Record<string, unknown>)[name] = kept;
  }
  return value;
}
