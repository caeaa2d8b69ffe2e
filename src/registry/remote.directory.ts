import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { DropletNotFoundError, RegistryUnavailableError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { DropletCache } from './droplet.cache.js';
import { DropletDirectory, type Listing, type RegistryState } from './droplet.directory.js';
import type { Droplet } from './droplet.js';
import { RegistrySync } from './registry.sync.js';
import { SelfRegistration } from './self.registration.js';

/** How long a request waits for a refresh; contract §5, Cache. */
const STALE_WAIT_MS = 100;
const UNKNOWN_WAIT_MS = 250;
const UNKNOWN_REFRESH_EVERY_MS = 5000;

/** The droplets that a real Registry knows, from a list that is read in the background. */
@Injectable()
export class RemoteDirectory extends DropletDirectory {
  private lastUnknownRefresh = -Infinity;

  constructor(
    private readonly cache: DropletCache,
    private readonly sync: RegistrySync,
    private readonly registration: SelfRegistration,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {
    super();
  }

  resolve(name: string): Droplet | Promise<Droplet> {
    const known = this.cache.status === 'active' ? this.current(name) : undefined;
    return known ?? this.find(name, () => this.current(name));
  }

  async findByIdOrName(key: string): Promise<Droplet> {
    return this.find(key, () => this.cache.droplets.findByIdOrName(key));
  }

  current(name: string): Droplet | undefined {
    return this.cache.droplets.find(name);
  }

  known(): readonly Droplet[] {
    return this.cache.droplets.droplets;
  }

  async list(): Promise<Listing> {
    const isFresh = await this.freshen();
    if (!this.cache.hasList) throw new RegistryUnavailableError();
    return { droplets: this.known(), servedFrom: isFresh ? 'registry' : 'cache' };
  }

  state(): RegistryState {
    return {
      url: this.settings.REGISTRY_URL ?? '',
      health: this.sync.health,
      error: this.sync.error,
      registered: this.registration.registered,
      lastSync: this.sync.lastSync,
      cacheStatus: this.cache.status,
      cacheAgeSeconds: this.cache.ageSeconds,
      dropletCount: this.known().length,
    };
  }

  private async find(key: string, look: () => Droplet | undefined): Promise<Droplet> {
    await this.freshen();
    const droplet = look() ?? (await this.refreshForUnknown().then(look));
    if (!droplet) throw new DropletNotFoundError(key, this.cache.droplets.names);
    return droplet;
  }

  /** Waits only as long as the list's state asks for; true if that brought a good answer. */
  private async freshen(): Promise<boolean> {
    if (!this.cache.hasList) return this.within(this.settings.REGISTRY_TIMEOUT, this.sync.inFlight);
    if (this.cache.status === 'active' || this.sync.isFailing) return false;
    return this.within(STALE_WAIT_MS, this.sync.sync());
  }

  private async refreshForUnknown(): Promise<void> {
    const isDue = this.clock.monotonic() - this.lastUnknownRefresh >= UNKNOWN_REFRESH_EVERY_MS;
    if (isDue) this.lastUnknownRefresh = this.clock.monotonic();
    await this.within(UNKNOWN_WAIT_MS, isDue ? this.sync.sync() : this.sync.inFlight);
  }

  /** The read's result if it ends within `ms` milliseconds, else false. */
  private async within(ms: number, read: Promise<boolean> | null): Promise<boolean> {
    if (!read) return false;
    const late = new AbortController();
    const timeout = this.clock.sleep(ms, late.signal).then(() => false);
    const good = await Promise.race([read, timeout]);
    late.abort();
    return good;
  }
}
