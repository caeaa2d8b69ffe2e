import type { JsonObject } from '../common/json.js';

/** An entry of the Registry, in one form whatever the Registry wrote. */
export interface Droplet {
  readonly id: number | string;
  readonly name: string;
  /** http or https, without a trailing slash. */
  readonly endpoint: string;
  readonly version: string | null;
  readonly metadata: JsonObject | null;
  readonly steward: string | null;
  readonly status: string;
  readonly proof: unknown;
  readonly cost_usd: number;
  readonly yield_usd: number;
  /** ISO 8601. */
  readonly registered_at: string | null;
  /** ISO 8601. */
  readonly updated_at: string | null;
}
