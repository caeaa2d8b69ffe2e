import type { ServerResponse } from 'node:http';
import { reply, TestServer, type Seen } from './server.js';

/** Stands between the page and an orchestrator, as operators put one there, and does to the answers what proxies do. */
export class PageProxy {
  /** What is answered with its head and no more. */
  hangs: (path: string) => boolean = () => false;
  /** How many answers were left so. */
  hung = 0;
  private held: (() => void)[] = [];

  private constructor(
    private readonly target: string,
    private readonly prefix: string,
    private readonly server: TestServer,
  ) {}

  /** @param prefix what it takes away of each path */
  static async start(target: string, prefix = ''): Promise<PageProxy> {
    const server = await TestServer.start((_seen, response) => reply(response, 503));
    const self = new PageProxy(target, prefix, server);
    server.handler = (seen, response) => void self.pass(seen, response).catch(() => reply(response, 502));
    return self;
  }

  get url(): string {
    return this.server.url;
  }

  /** Gives what hangs the rest of its answer. */
  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private async pass({ url, method, headers }: Seen, response: ServerResponse): Promise<void> {
    const kept = Object.entries(headers).filter(([name]) => !['host', 'connection'].includes(name)) as [string, string][];
    const answer = await fetch(this.target + url.replace(this.prefix, ''), { method, headers: kept });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.flushHeaders();
    if (this.hangs(url)) await this.hold();
    for await (const piece of answer.body ?? []) response.write(piece);
    response.end();
  }

  private hold(): Promise<void> {
    this.hung++;
    return new Promise((resolve) => this.held.push(resolve));
  }
}
