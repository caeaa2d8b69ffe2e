import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { Clock, SystemClock } from './clock.js';
import { Lifecycle } from './lifecycle.js';
import { createLog, Log } from './log.js';

/** What every module may use: time, the log, and how far the shutdown is. */
@Global()
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    { provide: Log, useFactory: (settings: Settings) => createLog(settings.LOG_LEVEL), inject: [Settings] },
    Lifecycle,
  ],
  exports: [Clock, Log, Lifecycle],
})
export class CommonModule {}
