import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import { CacheFile } from './cache.file.js';
import { DropletCache } from './droplet.cache.js';
import type { RegistryHealth } from './droplet.directory.js';
import { RegistryClient, RegistrySilentError } from './registry.client.js';
import { SelfRegistration } from './self.registration.js';

/** After a failure the next read comes after 1, 2, 4 … seconds, at most the interval. */
const FIRST_RETRY_MS = 1000;
/** Spread of the interval, so that many replicas do not read in step. */
const SPREAD = 0.1;

/** Reads the Registry in its own rhythm, one read at a time; contract §5, Cache. */
@Injectable()
export class RegistrySync implements OnApplicationBootstrap, OnModuleDestroy {
  private running: Promise<boolean> | null = null;
  private failures = 0;
  private cancelNext: () => void = () => undefined;
  private isStopped = false;
  private lastHealth: RegistryHealth = 'unhealthy';
  private lastError: string | null = 'The Registry was not read yet';
  private lastGoodAt: number | null = null;

  constructor(
    private readonly client: RegistryClient,
    private readonly cache: DropletCache,
    private readonly file: CacheFile,
    private readonly registration: SelfRegistration,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Takes the list of an earlier life, and begins to read; waits for no answer. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.settings.REGISTRY_URL === null) return;
    const saved = await this.file.load();
    if (saved) this.cache.restore(saved.droplets, saved.savedAt);
    void this.sync();
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    this.cancelNext();
  }

  get health(): RegistryHealth {
    return this.lastHealth;
  }

  /** Why the last read failed, or null. */
  get error(): string | null {
    return this.lastError;
  }

  /** Epoch milliseconds of the last good read. */
  get lastSync(): number | null {
    return this.lastGoodAt;
  }

  get isFailing(): boolean {
    return this.failures > 0;
  }

  /** The read that is under way, if any; resolves to whether it was good, never rejects. */
  get inFlight(): Promise<boolean> | null {
    return this.running;
  }

  /** Reads now, or joins the read under way; resolves to whether it was good, never rejects. */
  sync(): Promise<boolean> {
    this.running ??= this.read().finally(() => {
      this.running = null;
      this.scheduleNext();
    });
    return this.running;
  }

  private scheduleNext(): void {
    this.cancelNext();
    if (!this.isStopped) this.cancelNext = this.clock.after(this.nextDelayMs(), () => void this.sync());
  }

  private nextDelayMs(): number {
    const interval = this.settings.REGISTRY_SYNC_INTERVAL;
    if (this.isFailing) return Math.min(interval, FIRST_RETRY_MS * 2 ** (this.failures - 1));
    return interval * (1 + SPREAD * (2 * this.clock.random() - 1));
  }

  private async read(): Promise<boolean> {
    const start = this.clock.monotonic();
    try {
      const { droplets, rejected } = await this.client.list();
      this.succeeded();
      this.cache.accept(droplets);
      this.metrics.registrySynced(this.clock.now(), this.clock.monotonic() - start, rejected);
      if (rejected > 0) this.log.warn({ rejected }, 'registry entries left out');
      void this.file.save(this.cache.droplets.droplets);
      this.registration.listRead(droplets);
      return true;
    } catch (error) {
      this.failed(error as Error, this.clock.monotonic() - start);
      return false;
    }
  }

  private succeeded(): void {
    if (this.isFailing) this.log.info({ failures: this.failures }, 'registry answers again');
    this.failures = 0;
    this.lastHealth = 'healthy';
    this.lastError = null;
    this.lastGoodAt = this.clock.now();
  }

  private failed(error: Error, durationMs: number): void {
    if (this.isStopped) return;
    this.failures++;
    this.lastHealth = error instanceof RegistrySilentError ? 'unhealthy' : 'degraded';
    this.lastError = error.message;
    this.metrics.registrySyncFailed(durationMs);
    this.log.warn({ reason: error.message, failures: this.failures }, 'registry not read');
    this.registration.listNotRead();
  }
}
