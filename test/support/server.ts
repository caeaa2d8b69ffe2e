import { randomInt } from 'node:crypto';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';

/** A request as a test server saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly bytes: Buffer;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export type Handler = (seen: Seen, response: ServerResponse) => void;

/** A real HTTP server whose behaviour is a function; it keeps what it saw. */
export class TestServer {
  readonly seen: Seen[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: http.Server,
    public handler: Handler,
  ) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.receive(request, response));
  }

  static async start(handler: Handler, port = 0): Promise<TestServer> {
    const server = http.createServer();
    const self = new TestServer(server, handler);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return self;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connectionCount(): number {
    return this.sockets.size;
  }

  /** How many requests came to paths that begin so. */
  hits(prefix = '/'): number {
    return this.seen.filter(({ url }) => url.startsWith(prefix)).length;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request;
      const bytes = Buffer.concat(chunks);
      const seen = { method, url, headers, rawHeaders, body: bytes.toString(), bytes, at: performance.now() };
      this.seen.push(seen);
      this.handler(seen, response);
    });
  }
}

/** A server below HTTP: the handler gets each connection. */
export async function rawServer(
  onConnection: (socket: Socket) => void,
): Promise<{ url: string; stop: () => Promise<void>; connections: () => number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = net.createServer((socket) => {
    count++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, stop, connections: () => count };
}

/** Answers with JSON, or with the text as it is. */
export function reply(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** Below the ports that systems give to connections, so that none of those takes it before it is listened on. */
const PORTS = { first: 20_000, count: 12_000 };

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const port = PORTS.first + randomInt(PORTS.count);
  const server = net.createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isFree) return freePort();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}
