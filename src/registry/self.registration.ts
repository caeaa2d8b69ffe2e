import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { backoffMs } from '../outbound/backoff.js';
import { DropletCache } from './droplet.cache.js';
import type { Droplet } from './droplet.js';
import { RegistryClient, RegistryRefusedError, type Registration } from './registry.client.js';

const BACKOFF = { baseMs: 1000, maxMs: 60_000, jitter: 'full' } as const;

/** Keeps us in the Registry: registers after the first read, and again whenever a read no longer shows us; contract §5. */
@Injectable()
export class SelfRegistration {
  private isRegistered = false;
  private isRunning = false;
  private wasTried = false;
  /** Ends the wait before the next try: the Registry answers again. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly client: RegistryClient,
    private readonly cache: DropletCache,
    private readonly settings: Settings,
    private readonly lifecycle: Lifecycle,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  get registered(): boolean {
    return this.isRegistered;
  }

  /** A good answer of the Registry is here. */
  listRead(droplets: readonly Droplet[]): void {
    const ours = this.settings.SERVICE_NAME.toLowerCase();
    const isShown = droplets.some(({ name }) => name.toLowerCase() === ours);
    if (!isShown) this.isRegistered = false;
    this.wake();
    if (!isShown || !this.wasTried) void this.register();
  }

  /** The Registry could not be read; it may take a registration all the same. */
  listNotRead(): void {
    if (!this.wasTried) void this.register();
  }

  /** Tries until it works. Never rejects. */
  private async register(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.wasTried = true;
    for (let failures = 1; !(await this.tryOnce()); failures++) {
      const delay = backoffMs(BACKOFF, failures, () => this.clock.random());
      const answersAgain = new AbortController();
      this.wake = () => answersAgain.abort();
      await this.clock.sleep(delay, answersAgain.signal, this.lifecycle.draining);
    }
    this.isRunning = false;
  }

  private async tryOnce(): Promise<boolean> {
    if (this.lifecycle.draining.aborted) return true;
    try {
      await this.registerOrUpdate();
      this.isRegistered = true;
      this.log.info({ url: this.settings.PUBLIC_URL }, 'registered');
      return true;
    } catch (error) {
      this.log.warn({ reason: (error as Error).message }, 'not registered');
      return false;
    }
  }

  private async registerOrUpdate(): Promise<void> {
    try {
      await this.client.register(this.registration());
    } catch (error) {
      if (!(error instanceof RegistryRefusedError) || error.status !== 409) throw error;
      const id = await this.client.idOf(this.settings.SERVICE_NAME);
      await this.client.update(id, { endpoint: this.settings.PUBLIC_URL, metadata: { version: VERSION } });
    }
  }

  /** Without our id when another droplet has it: the real Registry would overwrite that one. */
  private registration(): Registration {
    const { SERVICE_NAME: name, PUBLIC_URL: url, DROPLET_ID: id } = this.settings;
    const holder = this.cache.droplets.findById(id);
    const isTaken = holder !== undefined && holder.name.toLowerCase() !== name.toLowerCase();
    return { name, url, version: VERSION, ...(isTaken ? {} : { id }) };
  }
}
