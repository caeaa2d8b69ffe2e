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

  /**
   * Writes an entry in the place of `before`, as it was read; null for a new one. Durable when it resolves to true;
   * false when another process was first: `before` is not there any more, or the id or the name is taken.
   * @throws StorageUnavailableError
   */
  abstract put(droplet: OwnDroplet, before: OwnDroplet | null): Promise<boolean>;

  /** Removes an entry as it was read; false when another process was first. @throws StorageUnavailableError */
  abstract remove(before: OwnDroplet): Promise<boolean>;

  /** Calls back whenever another process may have changed the entries. */
  abstract onChange(listener: () => void): void;
}
