import type { BreakerOrder } from '../../outbound/circuit.breaker.js';
import type { DropletOrders } from '../../outbound/droplet.traffic.js';
import { OrderStore } from '../../registry/order.store.js';
import type { ClusterBus } from './cluster.bus.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection } from './postgres.connection.js';
import { storedName } from './postgres.tasks.js';

/** What operators have said of droplets, in PostgreSQL, the same for all replicas. */
export class PostgresOrderStore extends OrderStore {
  constructor(
    private readonly connection: PostgresConnection,
    private readonly bus: ClusterBus,
  ) {
    super();
  }

  async all(): Promise<Map<string, DropletOrders>> {
    const text = `SELECT name, paused, breaker FROM ${SCHEMA}.droplet_orders`;
    const rows = await this.connection.query<{ name: string; paused: boolean; breaker: BreakerOrder }>({ text });
    return new Map(rows.map(({ name, paused, breaker }) => [JSON.parse(name) as string, { paused, breaker }]));
  }

  async put(name: string, { paused, breaker }: DropletOrders): Promise<void> {
    const text = `
      INSERT INTO ${SCHEMA}.droplet_orders (name, paused, breaker) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, breaker = excluded.breaker`;
    await this.connection.query({ text, values: [storedName(name), paused, breaker] });
    this.bus.send('orders', null, 'changed');
  }

  onChange(listener: () => void): void {
    this.bus.on('orders', listener);
    this.bus.onReconnect(listener);
  }
}
