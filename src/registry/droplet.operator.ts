import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../common/log.js';
import type { BreakerOrder } from '../outbound/circuit.breaker.js';
import type { DropletOrders } from '../outbound/droplet.traffic.js';
import { Traffic } from '../outbound/traffic.js';
import { DropletDirectory } from './droplet.directory.js';
import type { Droplet } from './droplet.js';
import { OrderStore } from './order.store.js';

const NO_ORDERS: DropletOrders = { paused: false, breaker: 'auto' };

/** What operators do to the traffic of a droplet: durable, and in force in every process; contract §5, Operators. */
@Injectable()
export class DropletOperator implements OnModuleInit {
  private orders = new Map<string, DropletOrders>();
  /** Orders are taken one after the other: each changes a part of what was said before. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: OrderStore,
    private readonly traffic: Traffic,
    private readonly directory: DropletDirectory,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.read();
    this.store.onChange(() => void this.read().catch(() => undefined));
  }

  /** No call is made to it until it is resumed. @throws DropletNotFoundError, StorageUnavailableError */
  pause(key: string): Promise<Droplet> {
    return this.say(key, { paused: true });
  }

  /** @throws DropletNotFoundError, StorageUnavailableError */
  resume(key: string): Promise<Droplet> {
    return this.say(key, { paused: false });
  }

  /** Holds its breaker open or closed, or lets it decide by itself. @throws DropletNotFoundError, StorageUnavailableError */
  setBreaker(key: string, breaker: BreakerOrder): Promise<Droplet> {
    return this.say(key, { breaker });
  }

  private async say(key: string, change: Partial<DropletOrders>): Promise<Droplet> {
    const droplet = await this.directory.findByIdOrName(key);
    const turn = this.last.then(() => this.write(droplet.name, change));
    this.last = turn.catch(() => undefined);
    await turn;
    return droplet;
  }

  /** A droplet is one, however its name is written today. */
  private async write(droplet: string, change: Partial<DropletOrders>): Promise<void> {
    await this.read();
    const name = droplet.toLowerCase();
    const orders = { ...(this.orders.get(name) ?? NO_ORDERS), ...change };
    await this.store.put(name, orders);
    this.log.warn({ droplet, ...orders }, 'operator changed the traffic');
    this.orders.set(name, orders);
    this.traffic.obey(this.orders);
  }

  private async read(): Promise<void> {
    this.orders = await this.store.all();
    this.traffic.obey(this.orders);
  }
}
