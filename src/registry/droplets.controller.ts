import { Controller, Get, Param } from '@nestjs/common';
import { Requires } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { iso } from '../common/time.js';
import { DropletDirectory } from './droplet.directory.js';
import { DropletView } from './droplet.view.js';

/** Reading the droplets; contract §5, Listing. */
@Controller('droplets')
export class DropletsController {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly view: DropletView,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Requires('droplets:read')
  async list() {
    const { droplets, servedFrom } = await this.directory.list();
    return {
      droplets: droplets.map((droplet) => this.view.of(droplet)),
      cache_status: this.directory.state().cacheStatus,
      served_from: servedFrom,
      total: droplets.length,
      timestamp: this.timestamp(),
    };
  }

  @Get('name/:name')
  @Requires('droplets:read')
  async byName(@Param('name') name: string) {
    return { droplet: this.view.of(await this.directory.resolve(name)), timestamp: this.timestamp() };
  }

  @Get(':key')
  @Requires('droplets:read')
  async one(@Param('key') key: string) {
    return { droplet: this.view.of(await this.directory.findByIdOrName(key)), timestamp: this.timestamp() };
  }

  private timestamp(): string {
    return iso(this.clock.now());
  }
}
