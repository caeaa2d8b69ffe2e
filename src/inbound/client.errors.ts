import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorBody, errorReply, type ErrorReply } from './error.reply.js';
import { requestIdOf } from './request-id.js';

/** How long a refused client gets to read its answer and to hang up. */
const LINGER_MS = 1000;

/** How a HEAD request begins. */
const HEAD = 'HEAD ';

/** Answers what never becomes a request, which Node would answer without our shape, or not at all. */
export class ClientErrors {
  private readonly latest = new WeakMap<Socket, ServerResponse>();

  /** Must be called before the server listens. */
  watch(server: Server): void {
    server.prependListener('request', (_request, response) => this.latest.set(response.req.socket, response));
    // An expectation that we do not know may be ignored (RFC 9110 §10.1.1).
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      // Node has let go of this socket: nobody else hears of its reset, which would end the process.
      socket.on('error', () => socket.destroy());
      refuse(socket, badRequest('CONNECT is for proxies'), { requestId: requestIdOf(request), isHead: false });
    });
  }

  /** What Node's parser refuses: the answer is written by hand, and the connection ends. */
  answer(error: NodeJS.ErrnoException & { readonly rawPacket?: unknown }, socket: Socket): void {
    if (error.code === 'ECONNRESET') return void socket.destroy();
    const due = this.latest.get(socket);
    const isHead = Buffer.isBuffer(error.rawPacket) && error.rawPacket.toString('latin1', 0, HEAD.length) === HEAD;
    const write = (): void => refuse(socket, clientErrorReply(error.code), { requestId: requestIdOf({ headers: {} }), isHead });
    // The request before it was whole and its answer is still to come: the client would take ours for that.
    if (due?.req.complete && !due.writableFinished) due.once('finish', write);
    else write();
  }
}

/** An answer to HEAD has no body, whatever its headers say. */
function refuse(socket: Socket, reply: ErrorReply, { requestId, isHead }: { requestId: string; isHead: boolean }): void {
  // Answered already, and still sending: what comes is dropped until the client has hung up.
  if (socket.writableEnded) return;
  const body = JSON.stringify(errorBody(reply, Date.now()));
  const head = [
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${isHead ? '' : body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function clientErrorReply(code: string | undefined): ErrorReply {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return badRequest('The request did not arrive in time', 408);
    case 'HPE_HEADER_OVERFLOW':
      return badRequest('The headers are too large', 431);
    default:
      return badRequest('The request is not valid HTTP');
  }
}

const badRequest = (message: string, status = 400): ErrorReply =>
  errorReply('INVALID_REQUEST', message, { status, details: { errors: [{ field: 'request', message }] } });
