import { Body, Controller, Delete, HttpCode, Param, Patch, Post, UseGuards } from '@nestjs/common';
import { Requires } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { iso } from '../common/time.js';
import { ValidBody } from '../inbound/valid.js';
import { BuiltinRegistry } from './builtin.registry.js';
import { DropletView } from './droplet.view.js';
import type { OwnDroplet } from './droplet.store.js';
import { LocalRegistry } from './local.registry.js';
import { DropletChange, HeartbeatReport, NewDroplet } from './registration.dto.js';

/** Writing to the built-in Registry, as the real one answers; 409 with a REGISTRY_URL; contract §5. */
@Controller()
@UseGuards(LocalRegistry)
export class RegistryController {
  constructor(
    private readonly registry: BuiltinRegistry,
    private readonly view: DropletView,
    private readonly clock: Clock,
  ) {}

  @Post('register')
  @Requires('droplets:write')
  @HttpCode(200)
  async register(@Body(new ValidBody(NewDroplet)) entry: NewDroplet) {
    const { id, name } = await this.registry.add(entry);
    return { success: true, droplet_id: id, message: `Droplet '${name}' registered` };
  }

  @Post('droplets')
  @Requires('droplets:write')
  async add(@Body(new ValidBody(NewDroplet)) entry: NewDroplet) {
    return this.answer(await this.registry.add(entry));
  }

  @Patch('droplets/:key')
  @Requires('droplets:write')
  async change(@Param('key') key: string, @Body(new ValidBody(DropletChange)) change: DropletChange) {
    return this.answer(await this.registry.change(key, change));
  }

  @Delete('droplets/:key')
  @Requires('droplets:write')
  async remove(@Param('key') key: string) {
    const { name } = await this.registry.remove(key);
    return { success: true, message: `Droplet '${name}' removed`, deleted_at: this.timestamp() };
  }

  @Post('droplets/:key/heartbeat')
  @Requires('droplets:write')
  @HttpCode(200)
  async heartbeat(@Param('key') key: string, @Body(new ValidBody(HeartbeatReport)) report: HeartbeatReport) {
    return this.answer(await this.registry.heartbeat(key, report));
  }

  private answer(droplet: OwnDroplet) {
    return { droplet: this.view.of(this.registry.present(droplet)), timestamp: this.timestamp() };
  }

  private timestamp(): string {
    return iso(this.clock.now());
  }
}
