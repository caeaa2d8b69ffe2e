import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import net from 'node:net';
import { until } from './http.client.js';
import { rawServer } from './server.js';

/** What is done with a connection once a whole request has come over it. */
export type Misbehaviour = (socket: Socket) => void;

/** A droplet below HTTP: reads requests properly, answers as its misbehaviours say, by path. */
export class MisbehavingDroplet {
  /** The paths that were asked for, in order. */
  readonly asked: string[] = [];
  /** The heads and bodies as they came. */
  readonly texts: string[] = [];
  /** Bytes that were handed to a connection before it closed, by path. */
  readonly sent: Record<string, number> = {};
  /** How many connections are closed by now, by the last path asked over them. */
  readonly closed: Record<string, number> = {};

  private constructor(
    private readonly server: Awaited<ReturnType<typeof rawServer>>,
    private readonly ways: Record<string, Misbehaviour>,
  ) {}

  static async start(ways: Record<string, Misbehaviour>): Promise<MisbehavingDroplet> {
    const started: MisbehavingDroplet[] = [];
    const server = await rawServer((socket) => started[0]?.receive(socket));
    const self = new MisbehavingDroplet(server, ways);
    started.push(self);
    return self;
  }

  get url(): string {
    return this.server.url;
  }

  get connections(): number {
    return this.server.connections();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  hits(path: string): number {
    return this.asked.filter((each) => each === path).length;
  }

  private receive(socket: Socket): void {
    let text = '';
    let path = '';
    socket.on('close', () => {
      this.sent[path] = (this.sent[path] ?? 0) + socket.bytesWritten;
      this.closed[path] = (this.closed[path] ?? 0) + 1;
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n') + 4;
      const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
      if (end < 4 || text.length < end + length) return;
      path = text.split(' ', 2)[1] ?? '';
      this.texts.push(text);
      this.asked.push(path);
      text = '';
      this.ways[path]?.(socket);
    });
  }
}

/** Writes a text (or its bytes) and leaves the connection open. */
export const says =
  (text: string | Buffer): Misbehaviour =>
  (socket) =>
    void socket.write(text);

/** Writes a text and ends the connection in good order. */
export const saysAndEnds =
  (text: string): Misbehaviour =>
  (socket) =>
    void socket.end(text);

/** Writes a text and resets the connection. */
export const saysAndResets =
  (text: string): Misbehaviour =>
  (socket) =>
    void socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 5));

/** Writes the start at once, then one byte every so many milliseconds, for ever. */
export const drips =
  (start: string, byte: string, everyMs = 20): Misbehaviour =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(byte), everyMs);
    socket.once('close', () => clearInterval(timer));
  };

/** Writes a head, then pieces as fast as they are taken, `count` of them. */
export const pours =
  (head: string, piece: string | Buffer, count: number): Misbehaviour =>
  (socket) => {
    let left = count;
    const pour = (): void => {
      while (left > 0 && !socket.destroyed) {
        left--;
        if (!socket.write(piece)) return void socket.once('drain', pour);
      }
    };
    socket.write(head);
    pour();
  };

export interface FullListener {
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens, and then its thread sleeps for ever: it accepts nothing, so the queue of the kernel can be filled. */
const DEAF = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/** A listener with a full backlog: a SYN to it is swallowed, neither taken nor refused. */
export async function fullListener(): Promise<FullListener> {
  const worker = new Worker(DEAF, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  await until(() => fill(port, fillers));
  const stop = async (): Promise<void> => {
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** Opens connections until one is not taken within 50 ms; true then. */
async function fill(port: number, fillers: Socket[]): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  fillers.push(socket);
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false));
    setTimeout(() => resolve(true), 50);
  });
}
