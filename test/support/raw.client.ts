import net, { type Socket } from 'node:net';
import { until } from './http.client.js';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: any;
}

/** A connection below HTTP, for what no HTTP client would send. */
export class RawConnection {
  private received = '';
  private taken = 0;
  isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.once('close', () => (this.isClosed = true));
  }

  /** @param allowHalfOpen our side stays open when the server has closed its own */
  static async open(url: string, allowHalfOpen = false): Promise<RawConnection> {
    const { port, hostname } = new URL(url);
    const socket = net.connect({ port: Number(port), host: hostname, allowHalfOpen });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  get text(): string {
    return this.received;
  }

  send(data: string | Buffer): this {
    this.socket.write(data);
    return this;
  }

  /** A request with a Host header and these others. */
  request(method: string, path: string, headers: Record<string, string> = {}, body = ''): this {
    const length = body ? { 'content-length': String(Buffer.byteLength(body)) } : {};
    const lines = Object.entries({ host: 'test', ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }

  /** The next whole answer. */
  answer(ms = 10_000): Promise<RawAnswer> {
    return until(() => this.next(), ms);
  }

  /** Resolves when the server has closed the connection. */
  async closed(ms = 10_000): Promise<void> {
    await until(() => this.isClosed, ms);
  }

  /** Reads nothing until `resume`: what comes stays with the server once the buffers between are full. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private next(): RawAnswer | null {
    const rest = this.received.slice(this.taken);
    const split = rest.indexOf('\r\n\r\n');
    if (split < 0) return null;
    const [start = '', ...lines] = rest.slice(0, split).split('\r\n');
    const pairs = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
    const headers = Object.fromEntries(pairs) as Record<string, string>;
    const length = Number(headers['content-length'] ?? 0);
    if (rest.length < split + 4 + length) return null;
    this.taken += split + 4 + length;
    const body = Buffer.from(rest.slice(split + 4, split + 4 + length), 'latin1').toString('utf8');
    return { status: Number(start.split(' ')[1]), headers, body, json: body ? JSON.parse(body) : undefined };
  }
}

/** Sends one text on a connection of its own and gives the answer. */
export async function rawExchange(url: string, data: string | Buffer): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  try {
    return await connection.send(data).answer();
  } finally {
    connection.destroy();
  }
}
