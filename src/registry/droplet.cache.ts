import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Settings } from '../config/settings.js';
import { NEVER_SECONDS, type CacheStatus } from './droplet.directory.js';
import { DropletIndex } from './droplet.index.js';
import { mergeAnswer, type KnownDroplet } from './droplet.list.js';
import type { Droplet } from './droplet.js';

/** The last droplet list, and how old it is. */
@Injectable()
export class DropletCache {
  private index = new DropletIndex<KnownDroplet>([]);
  /** When the list was good; monotonic ms. Null if there never was one. */
  private goodAt: number | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** Takes a good answer of the Registry. */
  accept(answer: readonly Droplet[]): void {
    const keep = { now: this.clock.now(), keepMs: this.settings.REGISTRY_MISSING_KEEP };
    this.index = new DropletIndex(mergeAnswer(this.index.droplets, answer, keep));
    this.goodAt = this.clock.monotonic();
  }

  /** Takes a list from an earlier life. @param savedAt epoch milliseconds */
  restore(droplets: readonly KnownDroplet[], savedAt: number): void {
    this.index = new DropletIndex(droplets);
    this.goodAt = this.clock.monotonic() - Math.max(0, this.clock.now() - savedAt);
  }

  get hasList(): boolean {
    return this.goodAt !== null;
  }

  get ageSeconds(): number {
    return this.goodAt === null ? NEVER_SECONDS : (this.clock.monotonic() - this.goodAt) / 1000;
  }

  get status(): CacheStatus {
    if (!this.hasList) return 'unavailable';
    return this.ageSeconds * 1000 <= this.settings.REGISTRY_CACHE_EXPIRY ? 'active' : 'stale';
  }

  get droplets(): DropletIndex<KnownDroplet> {
    return this.index;
  }
}
