import type { ServerResponse } from 'node:http';
import { OrchestratorProcess } from './process.js';
import { freePort, reply, TestServer, type Seen } from './server.js';

/** How a droplet of the demonstration does. */
interface Ways {
  readonly name: string;
  /** How long its answers take, about. */
  readonly ms: number;
  /** How many of a hundred answers are 503. */
  readonly fails: number;
  readonly paths: readonly string[];
  /** Tasks a second. */
  readonly rate: number;
}

const WAYS: readonly Ways[] = [
  { name: 'billing', ms: 35, fails: 0, paths: ['/invoices', '/invoices/4711/send'], rate: 4 },
  { name: 'catalog', ms: 8, fails: 0, paths: ['/products?page=2', '/products/981'], rate: 9 },
  { name: 'email', ms: 120, fails: 1, paths: ['/send'], rate: 3 },
  { name: 'geo', ms: 5, fails: 0, paths: ['/lookup'], rate: 3 },
  { name: 'images', ms: 260, fails: 0, paths: ['/resize', '/thumbnails/77'], rate: 2 },
  { name: 'inventory', ms: 18, fails: 0, paths: ['/stock/reserve', '/stock/release'], rate: 5 },
  { name: 'ledger', ms: 22, fails: 0, paths: ['/entries'], rate: 3 },
  { name: 'notifications', ms: 60, fails: 2, paths: ['/push'], rate: 3 },
  { name: 'payments', ms: 90, fails: 24, paths: ['/charges', '/refunds'], rate: 4 },
  { name: 'pricing', ms: 12, fails: 0, paths: ['/quote'], rate: 6 },
  { name: 'reports', ms: 900, fails: 4, paths: ['/monthly', '/daily/2026-07-01'], rate: 2 },
  { name: 'search', ms: 28, fails: 0, paths: ['/query', '/suggest?q=lam'], rate: 8 },
  { name: 'shipping', ms: 75, fails: 6, paths: ['/labels', '/track/JD0146'], rate: 3 },
  { name: 'translations', ms: 150, fails: 0, paths: ['/de', '/fr'], rate: 1 },
];

const STUBBORN = '/charges/4711';
const METHODS = ['POST', 'POST', 'GET', 'PUT'];
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

/** A mesh with a day like any other: most is well, something is slow, something flaky, something gone. */
export class DemoMesh {
  private constructor(
    private readonly server: OrchestratorProcess,
    private readonly droplets: readonly TestServer[],
  ) {}

  static async start(): Promise<DemoMesh> {
    const server = await OrchestratorProcess.start({
      ...{ LOG_LEVEL: 'error', RETRY_BACKOFF_BASE_MS: '250', ASYNC_BACKOFF_BASE_MS: '400' },
      ...{ SERVICE_NAME: 'orchestrator', STEWARD: 'platform' },
    });
    const droplets = await Promise.all(WAYS.map((ways) => TestServer.start((seen, response) => answer(ways, seen, response))));
    for (const [index, { name }] of WAYS.entries()) {
      const endpoint = name === 'geo' ? `http://127.0.0.1:${await freePort()}` : droplets[index]!.url;
      await server.post('/droplets', { name, endpoint, version: `1.${index}.0`, steward: 'platform' });
    }
    await server.post('/droplets', { name: 'loyalty', endpoint: droplets[0]!.url, version: '0.9.2' });
    await server.post('/droplets/loyalty/pause');
    return new DemoMesh(server, droplets);
  }

  get url(): string {
    return this.server.url;
  }

  /** Lets the mesh work for some time. */
  async live(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (const ways of WAYS) if (Math.random() < ways.rate / 5) void this.submit(ways);
      if (Math.random() < 0.05) void this.submit({ ...WAYS[0]!, name: 'loyalty' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The id of a task that is answered well at its third attempt. */
  async retriedTask(): Promise<string> {
    const task = { droplet_name: 'payments', method: 'POST', path: STUBBORN, payload: { amount: 1250 }, meta: { order: '4711' } };
    const { json } = await this.server.task(task, { prefer: 'respond-async' });
    return json.task_id as string;
  }

  /** An hour that ends now. */
  lastHour(): object {
    const now = Date.now() / 1000;
    const samples = Array.from({ length: 240 }, (_, index) => sampleAt(index, now - (240 - index) * 15));
    return {
      step_seconds: 15,
      samples,
      current: { ...sampleAt(239, now), seconds: 3, success: 160, error: 4, timeout: 1, retries: 21 },
    };
  }

  async stop(): Promise<void> {
    await this.server.remove();
    for (const droplet of this.droplets) await droplet.stop();
  }

  private async submit({ name, paths }: Ways): Promise<void> {
    const later = Math.random() < 0.6 ? { prefer: 'respond-async' } : undefined;
    const order = String(4000 + Math.floor(Math.random() * 900));
    await this.server
      .task({ droplet_name: name, method: pick(METHODS), path: pick(paths), meta: { order } }, later)
      .catch(() => undefined);
  }
}

function answer({ ms, fails }: Ways, { url, headers }: Seen, response: ServerResponse): void {
  const isFailure = url === STUBBORN ? Number(headers['x-task-attempt']) < 3 : Math.random() * 100 < fails;
  const body = isFailure ? { error: 'try again' } : { ok: true, reference: 'R-20931', lines: 3 };
  setTimeout(() => reply(response, isFailure ? 503 : 200, body), ms * (0.6 + Math.random() * 0.9));
}

/** A step of an ordinary hour, with a quarter of an hour in which one droplet failed. */
function sampleAt(index: number, at: number): object {
  const noise = (size: number): number => (Math.random() - 0.5) * size;
  const wave = 1 + 0.25 * Math.sin(index / 34) + 0.08 * Math.sin(index / 7);
  const isBad = index > 118 && index < 168;
  const depth = isBad ? Math.sin(((index - 118) / 50) * Math.PI) : 0;
  const success = Math.round(760 * wave * (1 - depth * 0.16) + noise(60));
  return {
    ...{
      at,
      seconds: 15,
      success,
      error: Math.round(18 + depth * 150 + noise(10)),
      timeout: Math.round(4 + depth * 30 + noise(3)),
    },
    ...{ cancelled: 0, retries: Math.round(70 + depth * 420) },
    ...{ p50_ms: 41 + depth * 30 + noise(5), p95_ms: 420 + depth * 900 + noise(60), p99_ms: 980 + depth * 1600 + noise(160) },
    ...{
      queued: Math.round(24 + depth * 260 + noise(14)),
      in_flight: Math.round(17 + depth * 20 + noise(7)),
      waiting: Math.round(depth * 22),
    },
  };
}
