import { Injectable } from '@nestjs/common';
import { isJsonObject, type JsonObject } from '../common/json.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { defaultPolicy, type DropletPolicy } from '../outbound/droplet.policy.js';
import type { Droplet } from './droplet.js';
import { parsePolicy, type PolicyEntry } from './policy.entry.js';

/** How each droplet is called: what the operator's file says, else its Registry entry, else the settings. */
@Injectable()
export class PolicyBook {
  private readonly fallback: DropletPolicy;
  private file: ReadonlyMap<string, PolicyEntry> = new Map();
  /** What an entry's own metadata says, read once for each metadata object. */
  private readonly stated = new WeakMap<JsonObject, PolicyEntry>();

  constructor(
    settings: Settings,
    private readonly log: Log,
  ) {
    this.fallback = defaultPolicy(settings);
  }

  /** Takes a new state of the operator's file, by droplet name in lower case. */
  replace(entries: ReadonlyMap<string, PolicyEntry>): void {
    this.file = entries;
  }

  policyOf({ name, metadata }: Pick<Droplet, 'name' | 'metadata'>): DropletPolicy {
    const file = this.file.get(name.toLowerCase());
    const stated = metadata && this.statedIn(name, metadata);
    if (!file && !stated) return this.fallback;
    const breaker = { ...this.fallback.breaker, ...stated?.breaker, ...file?.breaker };
    return { ...this.fallback, ...stated, ...file, breaker };
  }

  /** Headers are the operator's alone: an entry of the Registry must not make us send what it likes. */
  private statedIn(name: string, metadata: JsonObject): PolicyEntry | null {
    if (!isJsonObject(metadata.policy)) return null;
    const known = this.stated.get(metadata);
    if (known) return known;
    const rest = Object.fromEntries(Object.entries(metadata.policy).filter(([name]) => name !== 'headers'));
    const parsed = parsePolicy(rest);
    const entry = 'fault' in parsed ? {} : parsed.entry;
    if ('fault' in parsed) this.log.warn({ droplet: name, fault: parsed.fault }, 'policy in metadata ignored');
    this.stated.set(metadata, entry);
    return entry;
  }
}
