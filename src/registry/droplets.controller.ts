import { Controller, Get, Param } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { iso } from '../common/time.js';
import { DropletDirectory } from './droplet.directory.js';
import { dropletView } from './droplet.view.js';

/** Reading the droplets; contract §5, Listing. */
@Controller('droplets')
export class DropletsController {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly clock: Clock,
  ) {}

  @Get()
  async list() {
    const { droplets, servedFrom } = await this.directory.list();
    return {
      droplets: droplets.map(dropletView),
      cache_status: this.directory.state().cacheStatus,
      served_from: servedFrom,
      total: droplets.length,
      timestamp: this.timestamp(),
    };
  }

  @Get('name/:name')
  async byName(@Param('name') name: string) {
    return { droplet: dropletView(await this.directory.resolve(name)), timestamp: this.timestamp() };
  }

  @Get(':key')
  async one(@Param('key') key: string) {
    return { droplet: dropletView(await this.directory.findByIdOrName(key)), timestamp: this.timestamp() };
  }

  private timestamp(): string {
    return iso(this.clock.now());
  }
}
