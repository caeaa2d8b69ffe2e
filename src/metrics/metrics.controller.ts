import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import accepts from 'accepts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PublicAsMetrics } from '../common/access.js';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { History } from './history.js';
import { sinceOf } from './history.query.js';
import { historyView } from './history.view.js';
import { Metrics } from './metrics.js';
import { metricsView } from './metrics.view.js';

/** The first is what a client without a preference gets. */
const OFFERED = ['application/json', 'text/plain', 'application/openmetrics-text'];

/** Every parameter but `q`: Prometheus asks for `text/plain;version=0.0.4`, which matches no type without a version. */
const PARAMETERS = /;(?!\s*q=)[^;,]*/gi;

@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly history: History,
    private readonly settings: Settings,
  ) {}

  /** JSON, or Prometheus text for a client that prefers it. */
  @Get()
  @PublicAsMetrics()
  async figures(@Req() { raw }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    if (raw.headers.accept) raw.headers.accept = raw.headers.accept.replace(PARAMETERS, '');
    const preferred = accepts(raw).type(OFFERED);
    if (preferred !== false && preferred !== 'application/json') return this.prometheus(reply);
    const identity = { service: this.settings.SERVICE_NAME, version: VERSION, uptimeSeconds: performance.now() / 1000 };
    return metricsView(this.metrics, identity);
  }

  /** The last hour, in steps. */
  @Get('history')
  @PublicAsMetrics()
  lastHour(@Query('since') since: unknown) {
    return historyView(this.history, sinceOf(since));
  }

  @Get('prometheus')
  @PublicAsMetrics()
  async prometheus(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { contentType, text } = await this.metrics.prometheus();
    reply.header('content-type', contentType);
    return text;
  }
}
