import type { FastifyHttpOptions } from 'fastify';
import type { Server } from 'node:http';
import type { Settings } from '../config/settings.js';
import type { ClientErrors } from './client.errors.js';
import type { ErrorFilter } from './error.filter.js';
import { requestIdOf } from './request-id.js';

/** A request must be here whole within this time, its headers sooner: slow senders get a 408. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** How often Node looks for requests that are too slow. */
const CHECK_INTERVAL_MS = 1000;
/** Longer than the 60 s that common proxies keep an idle connection, so that they close first. */
const KEEP_ALIVE_MS = 65_000;
/** A droplet name of 255 characters, percent-encoded as UTF-8. */
const MAX_PARAM_LENGTH = 3072;

/** A request may name the whole URL (RFC 9112 §3.2.2). */
const ORIGIN = /^https?:\/\/[^/?]*/i;
const PREFIX = /^\/orchestrator(?=[/?]|$)/;

/** Every route answers with the prefix `/orchestrator` and without it; routes are registered without. */
const routeUrl = (url: string): string => {
  const bare = url.replace(ORIGIN, '').replace(PREFIX, '');
  return bare.startsWith('/') ? bare : `/${bare}`;
};

/** Who answers what never reaches a route. */
export interface Refusals {
  readonly badUrl: ErrorFilter['refuse'];
  readonly clientErrors: ClientErrors;
}

/** No route has a schema: bodies are class-validator's. The 105 files of the compilers that Fastify has for them stay away. */
const noSchemas = (): never => {
  throw new Error('Routes have no schemas of Fastify here');
};

/** How the HTTP server listens: limits, names and the answers to what never becomes a request. */
export function serverOptions(settings: Settings, { badUrl, clientErrors }: Refusals): FastifyHttpOptions<Server> {
  return {
    bodyLimit: settings.BODY_LIMIT,
    genReqId: requestIdOf,
    rewriteUrl: ({ url }) => routeUrl(url ?? '/'),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node would refuse a request without Host with an answer that has no shape; the hooks do it.
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_INTERVAL_MS, requireHostHeader: false },
    frameworkErrors: badUrl,
    clientErrorHandler: (error, socket) => clientErrors.answer(error, socket),
  };
}
