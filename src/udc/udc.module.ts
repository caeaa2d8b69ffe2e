import { Module } from '@nestjs/common';
import { HealthModule } from '../health/health.module.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { RegistryModule } from '../registry/registry.module.js';
import { TasksModule } from '../tasks/tasks.module.js';
import { MessageController } from './message.controller.js';
import { MessageService } from './message.service.js';
import { ProcessFigures } from './process.figures.js';
import { SendService } from './send.service.js';
import { UdcController } from './udc.controller.js';

/** The conventions of the mesh: what every service of it answers. */
@Module({
  imports: [HealthModule, MetricsModule, OutboundModule, RegistryModule, TasksModule],
  controllers: [UdcController, MessageController],
  providers: [MessageService, SendService, ProcessFigures],
})
export class UdcModule {}
