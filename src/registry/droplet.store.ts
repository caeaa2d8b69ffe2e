import type { JsonObject } from '../common/json.js';
import type { Droplet } from './droplet.js';

/** The last sign of life that a droplet sent. */
interface Heartbeat {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly metrics: JsonObject | null;
}

/** An entry of the built-in Registry. */
export interface OwnDroplet extends Droplet {
  readonly id: number;
  readonly heartbeat: Heartbeat | null;
}

/** Where the built-in Registry keeps its entries: a port, implemented by each store. */
export abstract class DropletStore {
  /** Every entry, by id. */
  abstract all(): Promise<OwnDroplet[]>;

  /** Inserts or replaces by id; durable when it resolves. @throws StorageUnavailableError */
  abstract put(droplet: OwnDroplet): Promise<void>;

  /** @throws StorageUnavailableError */
  abstract remove(id: number): Promise<void>;
}
