import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { BreakerOrder } from '../../outbound/circuit.breaker.js';
import { NO_ORDERS, type DropletOrders } from '../../outbound/droplet.traffic.js';
import { OrderStore } from '../../registry/order.store.js';
import type { GroupCommit } from './group.commit.js';

/** What operators have said of droplets, in SQLite. */
export class SqliteOrderStore extends OrderStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly commits: GroupCommit,
  ) {
    super();
  }

  all(): Promise<Map<string, DropletOrders>> {
    const rows = this.database.prepare('SELECT name, paused, breaker FROM droplet_orders').all();
    return Promise.resolve(new Map(rows.map((row) => [String(row.name), ordersOf(row)])));
  }

  put(name: string, change: Partial<DropletOrders>): Promise<DropletOrders> {
    return this.commits.write(() => {
      const row = this.database.prepare('SELECT paused, breaker FROM droplet_orders WHERE name = ?').get(name);
      const orders = { ...(row ? ordersOf(row) : NO_ORDERS), ...change };
      this.database
        .prepare('REPLACE INTO droplet_orders (name, paused, breaker) VALUES (?, ?, ?)')
        .run(name, orders.paused ? 1 : 0, orders.breaker);
      return orders;
    });
  }

  onChange(): void {
    // No other process writes this file.
  }
}

const ordersOf = ({ paused, breaker }: Record<string, SQLOutputValue>): DropletOrders => ({
  paused: paused === 1,
  breaker: breaker as BreakerOrder,
});
