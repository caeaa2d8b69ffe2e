import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { Clock, SystemClock } from './clock.js';
import { spanFields } from './current.span.js';
import { Lifecycle } from './lifecycle.js';
import { createLog, Log } from './log.js';

/** The ids of spans stand in the log where spans are collected. */
const logOf = ({ LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT }: Settings) =>
  createLog(LOG_LEVEL, undefined, OTEL_EXPORTER_OTLP_ENDPOINT === null ? undefined : spanFields);

/** What every module may use: time, the log, and how far the shutdown is. */
@Global()
@Module({
  providers: [{ provide: Clock, useClass: SystemClock }, { provide: Log, useFactory: logOf, inject: [Settings] }, Lifecycle],
  exports: [Clock, Log, Lifecycle],
})
export class CommonModule {}
