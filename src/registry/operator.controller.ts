import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { Requires } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { iso } from '../common/time.js';
import { ValidBody } from '../inbound/valid.js';
import type { BreakerOrder } from '../outbound/circuit.breaker.js';
import { DropletOperator } from './droplet.operator.js';
import { DropletView } from './droplet.view.js';
import type { Droplet } from './droplet.js';

const ORDERS: readonly BreakerOrder[] = ['open', 'closed', 'auto'];

/** What an operator wants of a breaker. */
export class BreakerCommand {
  @IsIn(ORDERS, { message: `must be one of ${ORDERS.join(', ')}` })
  state: BreakerOrder | undefined = undefined;
}

/** Holding a droplet's traffic; contract §5, Operators. */
@Controller('droplets/:key')
export class OperatorController {
  constructor(
    private readonly operator: DropletOperator,
    private readonly view: DropletView,
    private readonly clock: Clock,
  ) {}

  @Post('pause')
  @Requires('admin')
  @HttpCode(200)
  async pause(@Param('key') key: string) {
    return this.answer(await this.operator.pause(key));
  }

  @Post('resume')
  @Requires('admin')
  @HttpCode(200)
  async resume(@Param('key') key: string) {
    return this.answer(await this.operator.resume(key));
  }

  @Post('breaker')
  @Requires('admin')
  @HttpCode(200)
  async breaker(@Param('key') key: string, @Body(new ValidBody(BreakerCommand)) { state = 'auto' }: BreakerCommand) {
    return this.answer(await this.operator.setBreaker(key, state));
  }

  private answer(droplet: Droplet) {
    return { droplet: this.view.of(droplet), timestamp: iso(this.clock.now()) };
  }
}
