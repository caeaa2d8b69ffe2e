import type { ServerResponse } from 'node:http';
import { reply, TestServer, type Seen } from './server.js';

export interface RegistryEntry {
  id: number;
  name: string;
  endpoint: string;
  status?: string;
  metadata?: { version: string; policy?: unknown };
}

type Mode = (seen: Seen, response: ServerResponse) => boolean;

/** A Registry as the real one answers. `mode` may answer in its place and return true. */
export class TestRegistry {
  list: RegistryEntry[] = [];
  mode: Mode | null = null;

  private constructor(readonly server: TestServer) {}

  static async start(list: RegistryEntry[] = []): Promise<TestRegistry> {
    const server = await TestServer.start((_seen, response) => reply(response, 500));
    const self = new TestRegistry(server);
    self.list = list;
    server.handler = (seen, response) => {
      if (!self.mode?.(seen, response)) self.answer(seen, response);
    };
    return self;
  }

  get url(): string {
    return this.server.url;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private answer({ method, url, body }: Seen, response: ServerResponse): void {
    const timestamp = new Date().toISOString();
    const [, resource = '', kind = '', name = ''] = url.split('/');
    if (method === 'GET' && url === '/droplets')
      return reply(response, 200, { droplets: this.list, total: this.list.length, timestamp });
    if (method === 'POST' && resource === 'register')
      return this.register(JSON.parse(body) as { name: string; id?: number; url: string }, response);
    const entry = this.list.find((each) => (kind === 'name' ? each.name === decodeURIComponent(name) : String(each.id) === kind));
    if (resource !== 'droplets' || !entry) return reply(response, 404, { detail: 'Not Found' });
    if (method === 'PATCH') Object.assign(entry, JSON.parse(body));
    return reply(response, 200, { droplet: entry, timestamp });
  }

  private register({ name, id, url }: { name: string; id?: number; url: string }, response: ServerResponse): void {
    if (this.list.some((entry) => entry.name === name)) return reply(response, 409, { detail: 'already exists' });
    const taken = this.list.findIndex((entry) => entry.id === id);
    // The real Registry overwrites by id.
    if (taken >= 0) this.list.splice(taken, 1);
    const entry = { id: id ?? 100 + this.list.length, name, endpoint: url };
    this.list.push(entry);
    reply(response, 200, { success: true, droplet_id: entry.id, message: 'ok' });
  }
}

/** An entry for a droplet at an endpoint. */
export const entry = (id: number, name: string, endpoint: string): RegistryEntry => ({
  id,
  name,
  endpoint,
  status: 'active',
  metadata: { version: '1.0.0' },
});
