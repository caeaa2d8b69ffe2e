import { NO_ORDERS, type DropletOrders } from '../../outbound/droplet.traffic.js';
import { OrderStore } from '../../registry/order.store.js';
import { SCHEMA } from './migrations.js';
import type { PostgresConnection } from './postgres.connection.js';
import { storedName } from './postgres.tasks.js';
import type { SharedChanges } from './shared.changes.js';

/** What operators have said of droplets, in PostgreSQL, the same for all replicas. */
export class PostgresOrderStore extends OrderStore {
  constructor(
    private readonly connection: PostgresConnection,
    private readonly changes: SharedChanges,
  ) {
    super();
  }

  async all(): Promise<Map<string, DropletOrders>> {
    const text = `SELECT name, paused, breaker FROM ${SCHEMA}.droplet_orders`;
    const rows = await this.connection.query<DropletOrders & { name: string }>({ text });
    return new Map(rows.map(({ name, paused, breaker }) => [JSON.parse(name) as string, { paused, breaker }]));
  }

  async put(name: string, change: Partial<DropletOrders>): Promise<DropletOrders> {
    const text = `
      INSERT INTO ${SCHEMA}.droplet_orders AS said (name, paused, breaker) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET paused = COALESCE($4, said.paused), breaker = COALESCE($5, said.breaker)
      RETURNING paused, breaker`;
    const first = { ...NO_ORDERS, ...change };
    const values = [storedName(name), first.paused, first.breaker, change.paused, change.breaker];
    const [orders = first] = await this.connection.query<DropletOrders & Record<string, unknown>>({ text, values });
    this.changes.tell();
    return orders;
  }

  onChange(listener: () => void): void {
    this.changes.onChange(listener);
  }

  stop(): void {
    this.changes.stop();
  }
}
