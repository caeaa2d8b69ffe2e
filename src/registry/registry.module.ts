import { Module, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { Metrics } from '../metrics/metrics.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { Reachability } from '../outbound/reachability.js';
import { Traffic } from '../outbound/traffic.js';
import { BuiltinDirectory } from './builtin.directory.js';
import { BuiltinRegistry } from './builtin.registry.js';
import { CacheFile } from './cache.file.js';
import { DropletCache } from './droplet.cache.js';
import { DropletDirectory } from './droplet.directory.js';
import { DropletOperator } from './droplet.operator.js';
import { DropletView } from './droplet.view.js';
import { DropletsController } from './droplets.controller.js';
import { OperatorController } from './operator.controller.js';
import { PolicyBook } from './policy.book.js';
import { PolicyFile } from './policy.file.js';
import { RegistryClient } from './registry.client.js';
import { RegistryController } from './registry.controller.js';
import { RegistrySync } from './registry.sync.js';
import { RemoteDirectory } from './remote.directory.js';
import { SelfRegistration } from './self.registration.js';

/** Where droplets live: a real Registry, or the built-in one when none is given. */
@Module({
  imports: [OutboundModule, MetricsModule],
  controllers: [DropletsController, RegistryController, OperatorController],
  providers: [
    ...[BuiltinRegistry, RegistryClient, RegistrySync, DropletCache, CacheFile, SelfRegistration],
    ...[BuiltinDirectory, RemoteDirectory, DropletView, DropletOperator, PolicyBook, PolicyFile],
    {
      provide: DropletDirectory,
      inject: [Settings, BuiltinDirectory, RemoteDirectory],
      useFactory: (settings: Settings, builtin: DropletDirectory, remote: DropletDirectory) =>
        settings.REGISTRY_URL === null ? builtin : remote,
    },
  ],
  exports: [DropletDirectory, DropletView, PolicyBook],
})
export class RegistryModule implements OnModuleInit {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly reachability: Reachability,
    private readonly traffic: Traffic,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.provide({ registry: () => this.figures() });
    this.traffic.goBy((name) => this.directory.current(name) !== undefined);
  }

  private figures() {
    const { cacheAgeSeconds, cacheStatus } = this.directory.state();
    const known = this.directory.known();
    const reachable = known.filter(({ name }) => this.reachability.isReachable(name)).length;
    return { cacheAgeSeconds, cacheStatus, known: known.length, reachable };
  }
}
