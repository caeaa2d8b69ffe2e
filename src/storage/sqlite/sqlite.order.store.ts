import type { DatabaseSync } from 'node:sqlite';
import type { BreakerOrder } from '../../outbound/circuit.breaker.js';
import type { DropletOrders } from '../../outbound/droplet.traffic.js';
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
    const orders = rows.map(({ name, paused, breaker }) => {
      return [String(name), { paused: paused === 1, breaker: breaker as BreakerOrder }] as const;
    });
    return Promise.resolve(new Map(orders));
  }

  async put(name: string, { paused, breaker }: DropletOrders): Promise<void> {
    await this.commits.write(() =>
      this.database
        .prepare('REPLACE INTO droplet_orders (name, paused, breaker) VALUES (?, ?, ?)')
        .run(name, paused ? 1 : 0, breaker),
    );
  }

  onChange(): void {
    // No other process writes this file.
  }
}
