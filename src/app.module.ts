import { Module, type DynamicModule } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { CommonModule } from './common/common.module.js';
import { ConfigModule } from './config/config.module.js';
import type { Settings } from './config/settings.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { DocsModule } from './docs/docs.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { RegistryModule } from './registry/registry.module.js';
import { StorageModule } from './storage/storage.module.js';
import { TasksModule } from './tasks/tasks.module.js';
import { TracingModule } from './tracing/tracing.module.js';
import { UdcModule } from './udc/udc.module.js';

/** The map of the house. */
@Module({})
export class AppModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ...[ConfigModule.with(settings), CommonModule, TracingModule, StorageModule.for(settings)],
        ...[AuthModule, RegistryModule, TasksModule, MetricsModule, HealthModule, UdcModule, DocsModule, DashboardModule],
      ],
    };
  }
}
