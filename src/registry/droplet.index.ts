import type { Droplet } from './droplet.js';

/** A droplet list that is searched without walking it: a look-up costs the same with 5 and with 5,000. */
export class DropletIndex<T extends Droplet> {
  private readonly byName = new Map<string, T>();
  private readonly byLowerName = new Map<string, T>();
  private readonly byId = new Map<string, T>();

  /** @param droplets in list order */
  constructor(readonly droplets: readonly T[]) {
    for (const droplet of droplets) {
      setFirst(this.byName, droplet.name, droplet);
      setFirst(this.byLowerName, droplet.name.toLowerCase(), droplet);
      setFirst(this.byId, String(droplet.id), droplet);
    }
  }

  /** The exact name first, then the first one in the list that differs only in case. */
  find(name: string): T | undefined {
    return this.byName.get(name) ?? this.byLowerName.get(name.toLowerCase());
  }

  /** By id, else by name. */
  findByIdOrName(key: string): T | undefined {
    return this.byId.get(key) ?? this.find(key);
  }

  findById(id: number | string): T | undefined {
    return this.byId.get(String(id));
  }

  get names(): string[] {
    return this.droplets.map(({ name }) => name);
  }
}

function setFirst<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}
