import type { Droplet } from './droplet.js';

/** How fresh the droplet list is. */
export type CacheStatus = 'active' | 'stale' | 'unavailable';

/** `healthy`: the last read was good; `degraded`: it was answered badly; `unhealthy`: it was not answered. */
export type RegistryHealth = 'healthy' | 'degraded' | 'unhealthy';

/** The age of a list that was never had. */
export const NEVER_SECONDS = 999_999;

export interface Listing {
  readonly droplets: readonly Droplet[];
  /** `registry` when this request waited for a good refresh, or the Registry is built in. */
  readonly servedFrom: 'registry' | 'cache';
}

/** What the background knows of the Registry; asking for it calls nobody. */
export interface RegistryState {
  readonly url: string;
  readonly health: RegistryHealth;
  readonly error: string | null;
  readonly registered: boolean;
  /** Epoch milliseconds. */
  readonly lastSync: number | null;
  readonly cacheStatus: CacheStatus;
  readonly cacheAgeSeconds: number;
  readonly dropletCount: number;
}

/** Where droplets live: the port between those who call droplets and the Registry that knows them. */
export abstract class DropletDirectory {
  /** At once where nothing must be asked. It rejects with DropletNotFoundError after at most one refresh, of which it waits 250 ms. */
  abstract resolve(name: string): Droplet | Promise<Droplet>;

  /** The droplet as it is known at this moment, without any refresh. */
  abstract current(name: string): Droplet | undefined;

  /** @throws DropletNotFoundError */
  abstract findByIdOrName(key: string): Promise<Droplet>;

  /** @throws RegistryUnavailableError if there never was a list */
  abstract list(): Promise<Listing>;

  /** Everything that is known at this moment. */
  abstract known(): readonly Droplet[];

  abstract state(): RegistryState;
}
