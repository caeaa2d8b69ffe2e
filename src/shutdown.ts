import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Clock } from './common/clock.js';
import { Lifecycle } from './common/lifecycle.js';
import { Log } from './common/log.js';
import { Settings } from './config/settings.js';
import { Connections } from './inbound/connections.js';

/** What aborted calls get to be recorded and answered. */
const AFTER_ABORT_MS = 2000;
const LOOK_EVERY_MS = 25;

/** Ends a serving application in order; contract §6, Shutdown. */
export class Shutdown {
  private readonly connections: Connections;
  private readonly clock: Clock;
  private readonly lifecycle: Lifecycle;

  /** Must be made before the application listens. */
  constructor(private readonly app: NestFastifyApplication) {
    this.clock = app.get(Clock);
    this.lifecycle = app.get(Lifecycle);
    this.connections = new Connections(app.getHttpServer(), this.clock);
  }

  /** Resolves when every call has ended and the store is closed. */
  async run(): Promise<void> {
    const { SHUTDOWN_DELAY, SHUTDOWN_GRACE } = this.app.get(Settings);
    const log = this.app.get(Log);
    log.info({ delay_ms: SHUTDOWN_DELAY, grace_ms: SHUTDOWN_GRACE }, 'shutting down');
    this.lifecycle.leave();
    await this.clock.sleep(SHUTDOWN_DELAY);
    this.lifecycle.beginDrain();
    this.connections.stopAccepting();
    await this.ended(SHUTDOWN_GRACE);
    this.lifecycle.abortCalls();
    await this.ended(AFTER_ABORT_MS);
    this.connections.destroy();
    await this.app.close();
    log.info({}, 'stopped');
  }

  /** Resolves when no connection is open and no work runs, or after `ms` milliseconds. */
  private async ended(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    while (!(this.connections.isEmpty && this.lifecycle.isIdle) && this.clock.monotonic() < end) {
      this.connections.closeIdle();
      await this.clock.sleep(LOOK_EVERY_MS);
    }
  }
}
