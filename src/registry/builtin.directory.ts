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

  resolve(name: string): Droplet | Promise<Droplet> {
    return this.current(name) ?? this.found(name, () => this.current(name));
  }

  findByIdOrName(key: string): Promise<Droplet> {
    return this.found(key, () => {
      const droplet = this.registry.droplets.findByIdOrName(key);
      return droplet && this.registry.present(droplet);
    });
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

  /** One that is not known may have registered with another process just now. */
  private async found(key: string, look: () => Droplet | undefined): Promise<Droplet> {
    const droplet = look();
    if (droplet) return droplet;
    await this.registry.refresh();
    const late = look();
    if (!late) throw new DropletNotFoundError(key, this.registry.droplets.names);
    return late;
  }
}
