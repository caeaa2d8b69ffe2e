import { Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { MetricsController } from './metrics.controller.js';
import { RequestCounter } from './request.counter.js';

/** Every figure, as JSON and for Prometheus. */
@Module({ providers: [Metrics, RequestCounter], controllers: [MetricsController], exports: [Metrics, RequestCounter] })
export class MetricsModule {}
