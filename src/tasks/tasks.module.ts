import { Module, type OnModuleInit } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { KEPT_DURATIONS } from '../metrics/durations.js';
import { Metrics } from '../metrics/metrics.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { RegistryModule } from '../registry/registry.module.js';
import { AsynchronousTasks } from './asynchronous.tasks.js';
import { CallbackDelivery } from './callback.delivery.js';
import { EventStream } from './event.stream.js';
import { EventsController } from './events.controller.js';
import { IdempotencyKeys } from './idempotency.js';
import { QueueRoom } from './queue.room.js';
import { ResultKeeper } from './result.keeper.js';
import { TaskRetention } from './retention.js';
import { RunningTasks } from './running.tasks.js';
import { TaskCaller } from './task.caller.js';
import { TaskControl } from './task.control.js';
import { TaskEvents } from './task.events.js';
import { TaskJournal } from './task.journal.js';
import { TaskQueue } from './task.queue.js';
import { TaskRecovery } from './task.recovery.js';
import { TaskRules } from './task.rules.js';
import { TaskService } from './task.service.js';
import { TaskStore } from './task.store.js';
import { TaskWorker } from './task.worker.js';
import { TasksController } from './tasks.controller.js';

/** Taking tasks, running them now or later, and remembering them. */
@Module({
  imports: [AuthModule, OutboundModule, RegistryModule, MetricsModule],
  controllers: [EventsController, TasksController],
  providers: [
    ...[TaskService, AsynchronousTasks, TaskControl, IdempotencyKeys, TaskRules, QueueRoom],
    ...[TaskWorker, TaskRecovery, TaskCaller, CallbackDelivery, ResultKeeper, RunningTasks],
    ...[TaskJournal, TaskEvents, EventStream, TaskRetention],
  ],
  exports: [TaskService, AsynchronousTasks, TaskControl, TaskRules, EventStream],
})
export class TasksModule implements OnModuleInit {
  constructor(
    private readonly store: TaskStore,
    private readonly queue: TaskQueue,
    private readonly events: EventStream,
    private readonly metrics: Metrics,
  ) {}

  /** The figures go on where the process before left off. */
  async onModuleInit(): Promise<void> {
    this.metrics.provide({
      totals: () => this.store.totals(),
      isStoreWritable: () => this.store.isWritable,
      queue: () => this.queue.figures(),
      queued: () => this.queue.size,
      eventReaders: () => this.events.readers,
    });
    for (const ms of await this.store.lastDurations(KEPT_DURATIONS)) this.metrics.durations.add(ms);
  }
}
