import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.setup.js';
import { parseSettings } from '../../src/config/settings.js';
import { Shutdown } from '../../src/shutdown.js';
import { HttpClient } from './http.client.js';
import { freePort } from './server.js';

/** Short waits, no chance, no log, a database of its own; breaker and budget stay out of the way of what is not about them. */
const QUIET = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'silent',
  RETRY_JITTER: 'none',
  RETRY_BACKOFF_BASE_MS: '20',
  RETRY_BACKOFF_MAX_MS: '40',
  SHUTDOWN_GRACE: '2',
  BREAKER_MIN_CALLS: '1000000',
  RETRY_BUDGET_MIN_PER_SECOND: '1000000',
};

/** A running orchestrator in this process, over real sockets and a real file. */
export class TestOrchestrator extends HttpClient {
  private constructor(
    readonly app: NestFastifyApplication,
    private readonly shutdown: Shutdown,
    readonly home: string,
    url: string,
  ) {
    super(url);
  }

  /** @param environment settings that differ from the quiet ones @param home a folder from an earlier life */
  static async start(
    environment: Record<string, string> = {},
    home = mkdtempSync(path.join(tmpdir(), 'orchestrator-')),
  ): Promise<TestOrchestrator> {
    const port = await freePort();
    const files = { CACHE_DIR: home, DATABASE_URL: path.join(home, 'orchestrator.db') };
    const settings = parseSettings({
      ...QUIET,
      ...files,
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      ...environment,
    });
    const app = await createApp(settings);
    const shutdown = new Shutdown(app);
    await app.listen({ port, host: settings.HOST });
    return new TestOrchestrator(app, shutdown, home, `http://127.0.0.1:${port}`);
  }

  /** Ends as a signal would; the folder stays for a next life. */
  async leave(): Promise<void> {
    await this.shutdown.run();
  }

  async stop(): Promise<void> {
    await this.leave();
    rmSync(this.home, { recursive: true, force: true });
  }
}
