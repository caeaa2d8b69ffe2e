import { Module } from '@nestjs/common';
import { History } from './history.js';
import { Metrics } from './metrics.js';
import { MetricsController } from './metrics.controller.js';
import { RequestCounter } from './request.counter.js';

/** Every figure, as JSON and for Prometheus. */
@Module({ providers: [Metrics, RequestCounter, History], controllers: [MetricsController], exports: [Metrics, RequestCounter] })
export class MetricsModule {}
