import { Server, type Socket } from 'node:net';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Clock } from '../common/clock.js';

/** A connection without a request for this long is closed during the drain. */
const IDLE_MS = 1000;

interface Connection {
  readonly running: Set<ServerResponse>;
  /** Since when no request runs on it; monotonic ms. */
  idleSince: number;
}

/** Knows the server's connections, so that the drain can end them without cutting anybody off; design, decision 12. */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  private isDraining = false;

  constructor(
    private readonly server: HttpServer,
    private readonly clock: Clock,
  ) {
    server.on('connection', (socket) => this.opened(socket));
    server.prependListener('request', (request, response) => this.requested(request, response));
  }

  /** Takes no new connection, and asks clients on the open ones to leave with their next answer. */
  stopAccepting(): void {
    this.isDraining = true;
    for (const { running } of this.open.values()) running.forEach(askToLeave);
    // http.Server's own close() would cut idle keep-alive connections on which a request is just arriving.
    Server.prototype.close.call(this.server);
  }

  get isEmpty(): boolean {
    return this.open.size === 0;
  }

  /** Cuts what is still open. */
  destroy(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Closes connections on which no request has run for a second, also those that never sent one. */
  closeIdle(): void {
    const before = this.clock.monotonic() - IDLE_MS;
    for (const [socket, { running, idleSince }] of this.open) {
      if (running.size === 0 && idleSince <= before) socket.destroy();
    }
  }

  private opened(socket: Socket): void {
    this.open.set(socket, { running: new Set(), idleSince: this.clock.monotonic() });
    socket.once('close', () => this.open.delete(socket));
  }

  private requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.open.get(request.socket);
    if (!connection) return;
    connection.running.add(response);
    if (this.isDraining) askToLeave(response);
    response.once('close', () => {
      connection.running.delete(response);
      connection.idleSince = this.clock.monotonic();
    });
  }
}

function askToLeave(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
