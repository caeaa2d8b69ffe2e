import { Controller, Get } from '@nestjs/common';
import { Public, Requires } from '../common/access.js';
import { epochSeconds, iso } from '../common/time.js';
import { Settings } from '../config/settings.js';
import { BUILD_DATE, VERSION } from '../config/version.js';
import { HealthService } from '../health/health.service.js';
import { RequestCounter } from '../metrics/request.counter.js';
import { ProcessFigures } from './process.figures.js';

const FEATURES = [
  ...['task_routing', 'inter_droplet_messaging', 'heartbeat_collection', 'retry_logic', 'registry_sync', 'cache_fallback'],
  ...['builtin_registry', 'durable_tasks', 'prometheus_metrics'],
];

/** The pages that every service of the mesh has; contract §3. */
@Controller()
export class UdcController {
  constructor(
    private readonly health: HealthService,
    private readonly requests: RequestCounter,
    private readonly figures: ProcessFigures,
    private readonly settings: Settings,
  ) {}

  @Get()
  @Public()
  index() {
    const pages = ['health', 'info', 'capabilities', 'state', 'dependencies', 'droplets', 'tasks', 'metrics'];
    const links = Object.fromEntries(pages.map((page) => [page, `/orchestrator/${page}`]));
    return { name: this.settings.SERVICE_NAME, version: VERSION, links };
  }

  @Get('info')
  @Requires('droplets:read')
  info() {
    const { url, registered, lastSync, cacheStatus, cacheAgeSeconds } = this.health.registry;
    return {
      ...{ id: this.settings.DROPLET_ID, name: this.settings.SERVICE_NAME, version: VERSION },
      ...{ registry_url: url, registered, last_registry_sync: lastSync === null ? null : epochSeconds(lastSync) },
      ...{ cache_status: cacheStatus, cache_age_seconds: Math.floor(cacheAgeSeconds) },
    };
  }

  @Get('capabilities')
  @Public()
  capabilities() {
    const metadata = { build_date: BUILD_DATE, registry_url: this.health.registry.url };
    return { version: VERSION, features: FEATURES, dependencies: ['registry'], udc_version: '1.0', metadata };
  }

  @Get('state')
  @Requires('droplets:read')
  state() {
    return {
      state: this.health.status,
      cpu_percent: this.figures.cpuPercent,
      memory_mb: this.figures.memoryMb,
      uptime_seconds: this.figures.uptimeSeconds,
      requests_total: this.requests.total,
      requests_per_minute: this.requests.perMinute,
      errors_last_hour: this.requests.errorsLastHour,
      last_restart: iso(this.figures.lastRestart),
    };
  }

  @Get('dependencies')
  @Requires('droplets:read')
  dependencies() {
    const { health, cacheStatus } = this.health.registry;
    return {
      required: [{ id: 1, name: 'registry', status: health === 'healthy' ? 'connected' : 'unavailable' }],
      optional: [{ id: null, name: 'registry_cache', status: cacheStatus === 'active' ? 'connected' : 'degraded' }],
      missing: [],
    };
  }
}
