import { Module, type OnModuleInit } from '@nestjs/common';
import { KEPT_DURATIONS } from '../metrics/durations.js';
import { Metrics } from '../metrics/metrics.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { RegistryModule } from '../registry/registry.module.js';
import { TaskRetention } from './retention.js';
import { TaskService } from './task.service.js';
import { TaskStore } from './task.store.js';
import { TasksController } from './tasks.controller.js';

/** Taking tasks, running them and remembering them. */
@Module({
  imports: [OutboundModule, RegistryModule, MetricsModule],
  controllers: [TasksController],
  providers: [TaskService, TaskRetention],
  exports: [TaskService],
})
export class TasksModule implements OnModuleInit {
  constructor(
    private readonly store: TaskStore,
    private readonly metrics: Metrics,
  ) {}

  /** The figures go on where the process before left off. */
  async onModuleInit(): Promise<void> {
    this.metrics.provide({ totals: () => this.store.totals() });
    for (const ms of await this.store.lastDurations(KEPT_DURATIONS)) this.metrics.durations.add(ms);
  }
}
