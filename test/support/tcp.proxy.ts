import net, { type Server, type Socket } from 'node:net';
import { stablePort } from './stable.port.js';

/** What becomes of bytes from a client: passed on, lost with their connection, or passed on so that only the answer is lost. */
export type Verdict = 'forward' | 'cut' | 'forward and cut';

/** A client's connection and the one that stands for it at the target. */
interface Pair {
  readonly client: Socket;
  readonly target: Socket;
}

/** Stands between a client and a server on this machine and does to their connections what a network does. */
export class TestTcpProxy {
  /** How many connections ever came. */
  accepted = 0;
  private server: Server = net.createServer();
  private readonly pairs = new Set<Pair>();
  private isFrozen = false;
  private hook: (chunk: Buffer) => Verdict = () => 'forward';

  private constructor(
    readonly port: number,
    private readonly targetPort: number,
  ) {}

  /** @param targetPort where it leads to, on 127.0.0.1 */
  static async start(targetPort: number): Promise<TestTcpProxy> {
    const self = new TestTcpProxy(await stablePort(), targetPort);
    await self.accept();
    return self;
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.pairs.size;
  }

  /** Looks at every piece that a client sends, as it comes from its socket, before it is passed on. */
  onClientData(hook: (chunk: Buffer) => Verdict): void {
    this.hook = hook;
  }

  /** Nothing passes any more, not even an end; the sockets stay open, and new ones are taken: a half-open connection. */
  freeze(): void {
    this.isFrozen = true;
    this.eachSocket((socket) => socket.pause());
  }

  /** What was held back passes now. */
  thaw(): void {
    this.isFrozen = false;
    this.eachSocket((socket) => socket.resume());
  }

  /** Ends all connections at once; new ones are taken. */
  cut(): void {
    this.eachSocket((socket) => socket.destroy());
  }

  /** New connections are refused; those that are open go on. */
  refuse(): void {
    this.server.close();
  }

  /** Takes connections again after `refuse`, on the same port. */
  async accept(): Promise<void> {
    this.server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.join(client));
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }

  private join(client: Socket): void {
    this.accepted++;
    const target = net.connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, target };
    this.pairs.add(pair);
    client.on('data', (chunk: Buffer) => this.fromClient(chunk, pair));
    target.on('data', (chunk: Buffer) => this.pass(chunk, target, client));
    this.bind(client, target, pair);
    this.bind(target, client, pair);
    target.pause();
    if (!this.isFrozen) for (const socket of [client, target]) socket.resume();
  }

  /** The end of one side is the end of the other. */
  private bind(from: Socket, to: Socket, pair: Pair): void {
    from.on('error', () => undefined);
    from.on('end', () => to.end());
    from.on('drain', () => !this.isFrozen && to.resume());
    from.on('close', () => {
      to.destroySoon();
      this.pairs.delete(pair);
    });
  }

  private fromClient(chunk: Buffer, { client, target }: Pair): void {
    const verdict = this.hook(chunk);
    if (verdict === 'forward') return this.pass(chunk, client, target);
    if (verdict === 'forward and cut') this.deliver(chunk, { client, target });
    else target.destroy();
    client.destroy();
  }

  /** The target reads the bytes and closes by itself: were its connection closed from here, a reset could overtake them. */
  private deliver(chunk: Buffer, { client, target }: Pair): void {
    client.removeAllListeners('close');
    target.end(chunk);
  }

  private pass(chunk: Buffer, from: Socket, to: Socket): void {
    if (!to.destroyed && !to.write(chunk)) from.pause();
  }

  private eachSocket(act: (socket: Socket) => void): void {
    for (const { client, target } of this.pairs) {
      act(client);
      act(target);
    }
  }
}
