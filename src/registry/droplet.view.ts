import type { Droplet } from './droplet.js';

/** A droplet as `GET /droplets` shows it; contract §5, Listing. */
export function dropletView(droplet: Droplet) {
  const { id, name, endpoint, version, metadata, steward, status, proof, cost_usd, yield_usd, registered_at, updated_at } =
    droplet;
  return {
    ...{ id, name, endpoint, url: endpoint, version, metadata, steward, status, proof },
    ...{ cost_usd, yield_usd, registered_at, updated_at },
  };
}
