import { iso } from '../common/time.js';
import type { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import type { OwnDroplet } from './droplet.store.js';
import type { DropletChange, HeartbeatReport, NewDroplet } from './registration.dto.js';

/** A droplet that has sent heartbeats counts as inactive after this long without one; contract §5. */
const HEARTBEAT_EXPIRY_MS = 90_000;

/** What an entry is at one moment; `now` is epoch milliseconds throughout. */
export function presentEntry(droplet: OwnDroplet, now: number): OwnDroplet {
  const { heartbeat } = droplet;
  const isSilent = heartbeat !== null && now - heartbeat.at > HEARTBEAT_EXPIRY_MS;
  return isSilent ? { ...droplet, status: 'inactive' } : droplet;
}

/** The entry of a droplet that registers. */
export function newEntry(entry: NewDroplet, place: { id: number; endpoint: string }, now: number): OwnDroplet {
  const { name, steward, proof, version } = entry;
  const metadata = entry.metadata ?? (version === null ? null : { version });
  return {
    ...{ id: place.id, name, endpoint: withoutTrailingSlash(place.endpoint), steward, metadata, proof },
    ...{ version: versionOf({ version, metadata }), status: entry.status ?? 'active' },
    ...{ cost_usd: entry.cost_usd ?? 0, yield_usd: entry.yield_usd ?? 0 },
    ...{ registered_at: iso(now), updated_at: iso(now), heartbeat: null },
  };
}

/** The entry after a change; what is null in it stays as before. */
export function changedEntry(before: OwnDroplet, change: DropletChange, now: number): OwnDroplet {
  const { url, endpoint = url ?? before.endpoint, ...given } = withoutNulls(change);
  return {
    ...before,
    ...given,
    ...{ endpoint: withoutTrailingSlash(endpoint), updated_at: iso(now) },
    version: versionOf(change) ?? before.version,
  };
}

/** The entry after a sign of life. */
export function beatingEntry(before: OwnDroplet, { status, metrics }: HeartbeatReport, now: number): OwnDroplet {
  return { ...before, status: status ?? 'active', heartbeat: { at: now, metrics }, updated_at: iso(now) };
}

/** The orchestrator's own entry; it was registered when `before` was. */
export function selfEntry(id: number, before: OwnDroplet | undefined, settings: Settings, now: number): OwnDroplet {
  const { SERVICE_NAME: name, PUBLIC_URL: endpoint, STEWARD: steward } = settings;
  return {
    ...{ id, name, endpoint, steward, version: VERSION, metadata: { version: VERSION }, status: 'active', proof: null },
    ...{ cost_usd: 0, yield_usd: 0, registered_at: before?.registered_at ?? iso(now), updated_at: iso(now), heartbeat: null },
  };
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** What a change really changes: null says "as before". */
function withoutNulls<T extends object>(change: T): Given<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)) as Given<T>;
}

const withoutTrailingSlash = (endpoint: string): string => endpoint.replace(/\/+$/, '');

function versionOf({ version, metadata }: Pick<OwnDroplet, 'version' | 'metadata'>): string | null {
  const stated = metadata?.version;
  return version ?? (typeof stated === 'string' ? stated : null);
}
