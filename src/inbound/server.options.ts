import type { FastifyHttpOptions } from 'fastify';
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Settings } from '../config/settings.js';
import type { ErrorFilter } from './error.filter.js';
import { errorBody, errorReply, type ErrorReply } from './error.reply.js';
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

const PREFIX = /^\/orchestrator(?=[/?]|$)/;

/** Every route answers with the prefix `/orchestrator` and without it; routes are registered without. */
const withoutPrefix = (url: string): string => {
  const bare = url.replace(PREFIX, '');
  return bare.startsWith('/') ? bare : `/${bare}`;
};

/** How the HTTP server listens: limits, names and the answers to what never becomes a request. */
export function serverOptions(settings: Settings, answer: ErrorFilter['answer']): FastifyHttpOptions<Server> {
  return {
    bodyLimit: settings.BODY_LIMIT,
    genReqId: requestIdOf,
    rewriteUrl: ({ url }) => withoutPrefix(url ?? '/'),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_INTERVAL_MS },
    frameworkErrors: answer,
    clientErrorHandler: answerClientError,
  };
}

/** What Node's parser refuses has no request yet: the answer is written by hand, and the connection ends. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const reply = clientErrorReply(error.code);
  const body = JSON.stringify(errorBody(reply, Date.now()));
  const head = [
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${requestIdOf({ headers: {} })}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function clientErrorReply(code: string | undefined): ErrorReply {
  const refuse = (status: number, message: string): ErrorReply =>
    errorReply('INVALID_REQUEST', message, { status, details: { errors: [{ field: 'request', message }] } });
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse(408, 'The request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return refuse(431, 'The headers are too large');
    default:
      return refuse(400, 'The request is not valid HTTP');
  }
}
