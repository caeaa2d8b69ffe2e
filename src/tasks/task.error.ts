import type { StoppedBy } from '../outbound/execution.js';

/** What a failed task tells beside its code. */
export interface ErrorDetails {
  /** Whether the request may have taken effect at the droplet. */
  readonly effect: 'none' | 'unknown';
  /** What stopped further attempts, or null when the failure deserved none. */
  readonly stopped_by: StoppedBy | null;
  /** `address_refused` when the droplet's address may not be called. */
  readonly reason?: string;
  /** The Registry's word on a droplet that is inactive or in error. */
  readonly droplet_status?: string;
}
