import { Controller, Get } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { Public } from '../common/access.js';
import { HealthService } from './health.service.js';

/** The UDC health page, and the probes of Kubernetes; contract §3. Indicators are our own: Terminus' would go around RetryPolicy. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly probes: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get()
  @Public()
  page() {
    return this.health.page();
  }

  /** The process and its event loop: an answer is the proof. */
  @Get('live')
  @Public()
  @HealthCheck({ swaggerDocumentation: false })
  live(): Promise<HealthCheckResult> {
    return this.probes.check([]);
  }

  /** May be sent work: the store takes writes, a droplet list was had, and we are not leaving. */
  @Get('ready')
  @Public()
  @HealthCheck({ swaggerDocumentation: false })
  ready(): Promise<HealthCheckResult> {
    return this.probes.check([
      () => this.indicate('storage', this.health.isStorageReady, 'The store cannot be written'),
      () => this.indicate('droplets', this.health.hasDroplets, 'No droplet list was ever had'),
      () => this.indicate('shutdown', !this.health.isLeaving, 'The process is shutting down'),
    ]);
  }

  /** The store is open: the process does not listen before. */
  @Get('startup')
  @Public()
  @HealthCheck({ swaggerDocumentation: false })
  startup(): Promise<HealthCheckResult> {
    return this.probes.check([() => this.indicate('storage', true, '')]);
  }

  private indicate(key: string, isUp: boolean, reason: string): HealthIndicatorResult {
    const indicator = this.indicators.check(key);
    return isUp ? indicator.up() : indicator.down(reason);
  }
}
