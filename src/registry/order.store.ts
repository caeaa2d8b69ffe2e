import type { DropletOrders } from '../outbound/droplet.traffic.js';

/** Where it is kept what operators have said of droplets: a port, implemented by each store. */
export abstract class OrderStore {
  /** By droplet name. */
  abstract all(): Promise<Map<string, DropletOrders>>;

  /** Durable when it resolves. @throws StorageUnavailableError */
  abstract put(name: string, orders: DropletOrders): Promise<void>;

  /** Calls back whenever another process may have changed them. */
  abstract onChange(listener: () => void): void;
}
