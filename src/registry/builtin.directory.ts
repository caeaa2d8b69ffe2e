import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { DropletNotFoundError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { BuiltinRegistry } from './builtin.registry.js';
import { DropletDirectory, type Listing, type RegistryState } from './droplet.directory.js';
import type { Droplet } from './droplet.js';

/** The droplets of the built-in Registry: always there, always fresh. */
@Injectable()
export class BuiltinDirectory extends DropletDirectory {
  constructor(
    private readonly registry: BuiltinRegistry,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {
    super();
  }

  resolve(name: string): Promise<Droplet> {
    return this.found(name, this.current(name));
  }

  findByIdOrName(key: string): Promise<Droplet> {
    const droplet = this.registry.droplets.findByIdOrName(key);
    return this.found(key, droplet && this.registry.present(droplet));
  }

  current(name: string): Droplet | undefined {
    const droplet = this.registry.droplets.find(name);
    return droplet && this.registry.present(droplet);
  }

  known(): readonly Droplet[] {
    return this.registry.droplets.droplets.map((droplet) => this.registry.present(droplet));
  }

  list(): Promise<Listing> {
    return Promise.resolve({ droplets: this.known(), servedFrom: 'registry' });
  }

  state(): RegistryState {
    return {
      url: this.settings.PUBLIC_URL,
      health: 'healthy',
      error: null,
      registered: true,
      lastSync: this.clock.now(),
      cacheStatus: 'active',
      cacheAgeSeconds: 0,
      dropletCount: this.registry.droplets.droplets.length,
    };
  }

  private found(key: string, droplet: Droplet | undefined): Promise<Droplet> {
    return droplet ? Promise.resolve(droplet) : Promise.reject(new DropletNotFoundError(key, this.registry.droplets.names));
  }
}
