import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Lifecycle } from '../common/lifecycle.js';
import { iso } from '../common/time.js';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { DropletDirectory, type RegistryState } from '../registry/droplet.directory.js';
import { TaskStore } from '../tasks/task.store.js';

/** The three words of the UDC. */
export type ServiceStatus = 'active' | 'inactive' | 'error';

/** How the process is, from what the background knows: it calls nobody. */
@Injectable()
export class HealthService {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly store: TaskStore,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  get isStorageWritable(): boolean {
    return this.store.isWritable;
  }

  /** A store that is away for a moment is no reason to send callers elsewhere. */
  get isStorageReady(): boolean {
    return this.store.isReady;
  }

  get hasDroplets(): boolean {
    return this.registry.cacheStatus !== 'unavailable';
  }

  get isLeaving(): boolean {
    return this.lifecycle.phase !== 'serving';
  }

  get registry(): RegistryState {
    return this.directory.state();
  }

  /** `error` only if no droplet list was ever had or the store fails; `inactive` while we leave; contract §3. */
  get status(): ServiceStatus {
    if (this.isLeaving) return 'inactive';
    return this.hasDroplets && this.isStorageWritable ? 'active' : 'error';
  }

  /** The UDC health page. */
  page() {
    const now = iso(this.clock.now());
    const { SERVICE_NAME: name, DROPLET_ID: id, STEWARD: steward, PUBLIC_URL: endpoint } = this.settings;
    return {
      ...{ status: this.status, service: 'orchestrator', version: VERSION, timestamp: now },
      ...{ id, name, steward, endpoint, updated_at: now },
      dependencies: this.dependencies(),
    };
  }

  private dependencies() {
    const { health, url, error, cacheStatus, cacheAgeSeconds, dropletCount } = this.registry;
    return {
      registry: { status: health, url, ...(error === null ? {} : { error }) },
      cache: { status: cacheStatus, age_seconds: Math.floor(cacheAgeSeconds), droplet_count: dropletCount },
      storage: { status: this.isStorageWritable ? 'healthy' : 'unhealthy' },
    };
  }
}
