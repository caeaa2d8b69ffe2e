import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log } from '../common/log.js';
import type { BreakerOrder } from '../outbound/circuit.breaker.js';
import type { DropletOrders } from '../outbound/droplet.traffic.js';
import { Traffic } from '../outbound/traffic.js';
import { DropletDirectory } from './droplet.directory.js';
import type { Droplet } from './droplet.js';
import { OrderStore } from './order.store.js';

/** What operators do to the traffic of a droplet: durable, and in force in every process; contract §5, Operators. */
@Injectable()
export class DropletOperator implements OnModuleInit {
  private orders = new Map<string, DropletOrders>();
  /** Reads and writes go one after the other: what was read before a write must not come into force after it. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: OrderStore,
    private readonly traffic: Traffic,
    private readonly directory: DropletDirectory,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.read();
    this.store.onChange(() => void this.readAgain());
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
    await this.inTurn(() => this.write(droplet.name, change));
    return droplet;
  }

  /** A droplet is one, however its name is written today. */
  private async write(droplet: string, change: Partial<DropletOrders>): Promise<void> {
    const name = droplet.toLowerCase();
    const orders = await this.store.put(name, change);
    this.log.warn({ droplet, ...orders }, 'operator changed the traffic');
    this.orders.set(name, orders);
    this.traffic.obey(this.orders);
  }

  /** What fails is read when the store tells of a change the next time. */
  private async readAgain(): Promise<void> {
    await this.inTurn(() => this.read()).catch((err: unknown) => this.log.debug({ err }, 'orders not read'));
  }

  private async read(): Promise<void> {
    this.orders = await this.store.all();
    this.traffic.obey(this.orders);
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
