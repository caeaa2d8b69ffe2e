import { Injectable } from '@nestjs/common';

/** Remembers which droplets gave no answer to the last call made to them. */
@Injectable()
export class Reachability {
  private readonly silent = new Set<string>();

  record(droplet: string, answered: boolean): void {
    if (answered) this.silent.delete(droplet);
    else this.silent.add(droplet);
  }

  isReachable(droplet: string): boolean {
    return !this.silent.has(droplet);
  }
}
