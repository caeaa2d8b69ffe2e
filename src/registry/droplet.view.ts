import { Injectable } from '@nestjs/common';
import { Traffic } from '../outbound/traffic.js';
import type { Droplet } from './droplet.js';

/** A droplet as `GET /droplets` shows it, with how its calls go; contract §5, Listing. */
@Injectable()
export class DropletView {
  constructor(private readonly traffic: Traffic) {}

  of(droplet: Droplet) {
    const { id, name, endpoint, version, metadata, steward, status, proof, cost_usd, yield_usd, registered_at, updated_at } =
      droplet;
    return {
      ...{ id, name, endpoint, url: endpoint, version, metadata, steward, status, proof },
      ...{ cost_usd, yield_usd, registered_at, updated_at, health: this.traffic.healthOf(name) },
    };
  }
}
