import { isJsonObject, structureFault, type JsonObject } from '../common/json.js';
import { endpointFault } from '../outbound/target-url.js';
import type { Droplet } from './droplet.js';

/** What a Registry's answer holds: the entries that can be used, and how many cannot. */
export interface RegistryDocument {
  readonly droplets: readonly Droplet[];
  readonly rejected: number;
}

/** Thrown for an answer that is no droplet list at all. */
export class BadDocumentError extends Error {}

/**
 * Reads `{droplets:[…]}` or a bare list; contract §5. An entry that cannot be used is left out and counted, also a
 * second one of the same name.
 * @throws BadDocumentError
 */
export function readDocument(text: string): RegistryDocument {
  const value = parse(text);
  const list = isJsonObject(value) ? value.droplets : value;
  if (!Array.isArray(list)) throw new BadDocumentError('The answer holds no list of droplets');
  const byName = new Map<string, Droplet>();
  for (const entry of list) {
    const droplet = readEntry(entry);
    if (droplet && !byName.has(droplet.name)) byName.set(droplet.name, droplet);
  }
  return { droplets: [...byName.values()], rejected: list.length - byName.size };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadDocumentError('The answer is not JSON');
  }
}

/** One entry in our form, or null if it cannot be used. */
export function readEntry(entry: unknown): Droplet | null {
  if (!isJsonObject(entry) || structureFault(entry) !== null) return null;
  const { id, name } = entry;
  const endpoint = entry.endpoint ?? entry.url;
  if (typeof name !== 'string' || name.length < 1 || name.length > 255) return null;
  if (!isId(id)) return null;
  if (typeof endpoint !== 'string' || endpointFault(endpoint) !== null) return null;
  const metadata = isJsonObject(entry.metadata) ? entry.metadata : null;
  return { id, name, endpoint: endpoint.replace(/\/+$/, ''), metadata, ...optionalFields(entry, metadata) };
}

function optionalFields(entry: JsonObject, metadata: JsonObject | null) {
  return {
    version: textOr(null, entry.version) ?? textOr(null, metadata?.version),
    steward: textOr(null, entry.steward),
    status: textOr('active', entry.status),
    proof: entry.proof ?? null,
    cost_usd: numberOr0(entry.cost_usd),
    yield_usd: numberOr0(entry.yield_usd),
    registered_at: textOr(null, entry.registered_at),
    updated_at: textOr(null, entry.updated_at),
  };
}

function textOr<T extends string | null>(fallback: T, value: unknown): string | T {
  return typeof value === 'string' ? value : fallback;
}

// JSON can write a number that JavaScript only knows as Infinity, and that would go out as null.
const isFinite = (value: unknown): value is number => Number.isFinite(value);

const isId = (value: unknown): value is number | string => (typeof value === 'string' ? value !== '' : isFinite(value));

const numberOr0 = (value: unknown): number => (isFinite(value) ? value : 0);
