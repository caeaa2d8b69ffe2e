import type { DropletOrders } from '../outbound/droplet.traffic.js';

/** Where it is kept what operators have said of droplets: a port, implemented by each store. */
export abstract class OrderStore {
  /** By droplet name. */
  abstract all(): Promise<Map<string, DropletOrders>>;

  /**
   * Changes what is given and leaves the rest as it stands, also while another process does the same; resolves to the
   * orders as they are then. Durable when it resolves.
   * @throws StorageUnavailableError
   */
  abstract put(name: string, change: Partial<DropletOrders>): Promise<DropletOrders>;

  /** Calls back whenever another process may have changed them. */
  abstract onChange(listener: () => void): void;
}
