import { SCOPES, type Scope } from '../common/access.js';
import { readJsonFile } from '../common/json.file.js';
import { isJsonObject, type JsonObject } from '../common/json.js';
import { CALLER_NAME, type CallerLimits, type KnownCaller } from './authenticator.js';

/** One key of API_KEYS_FILE; several may stand for one caller while one replaces the other. */
export interface ApiKey extends KnownCaller {
  readonly sha256: Buffer;
}

/** An entry whose members were found to be good. */
interface Entry {
  readonly name: string;
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  readonly droplets?: readonly string[];
  readonly rate_per_second?: number;
  readonly concurrency?: number;
}

const SHA256 = /^[0-9a-f]{64}$/i;
const MAX_RATE = 1_000_000;

/** What is wrong with a member of an entry, as the rest of a sentence; null when it is good. A member that is not here is refused. */
const MEMBERS: Readonly<Record<string, (value: unknown) => string | null>> = {
  name: (value) => unless(typeof value === 'string' && CALLER_NAME.test(value), 'must be 1 to 255 characters'),
  sha256: (value) => unless(typeof value === 'string' && SHA256.test(value), 'must be the SHA-256 of the key: 64 hex digits'),
  scopes: (value) => unless(isListOf(value, isScope), `must be a list of ${SCOPES.join(', ')}`),
  droplets: (value) => unless(value === undefined || isListOf(value, isName), 'must be a list of droplet names'),
  rate_per_second: (value) =>
    unless(value === undefined || isWithin(value, 0.001, MAX_RATE), `must be a number from 0.001 to ${MAX_RATE}`),
  concurrency: (value) =>
    unless(value === undefined || (Number.isInteger(value) && isWithin(value, 1, MAX_RATE)), 'must be a whole number above 0'),
};

const unless = (isGood: boolean, fault: string): string | null => (isGood ? null : fault);
const isScope = (value: unknown): boolean => (SCOPES as readonly unknown[]).includes(value);
const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isWithin = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && value >= least && value <= most;
const isListOf = (value: unknown, isMember: (member: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isMember);

/** The keys of a file. @throws Error with the reason, which shows no value of the file */
export async function readKeyFile(file: string): Promise<readonly ApiKey[]> {
  const entries = await readJsonFile(file);
  if (!Array.isArray(entries)) throw new Error('it must hold a JSON list of keys');
  const keys = entries.map(readKey);
  if (new Set(keys.map(({ sha256 }) => sha256.toString('hex'))).size < keys.length)
    throw new Error('two entries have the same key');
  checkLimits(keys);
  return keys;
}

function readKey(entry: unknown, index: number): ApiKey {
  if (!isJsonObject(entry)) throw new Error(`entry ${index} must be an object`);
  if (!isEntry(entry)) throw new Error(`entry ${index}${faultOf(entry) ?? ''}`);
  return toKey(entry);
}

const isEntry = (entry: JsonObject): entry is JsonObject & Entry => faultOf(entry) === null;

/** What is wrong with an entry, as the rest of a sentence that begins with its number; null when it is good. */
function faultOf(entry: JsonObject): string | null {
  const unknown = Object.keys(entry).some((member) => !Object.hasOwn(MEMBERS, member));
  // A misspelt `droplets` would open them all.
  if (unknown) return ` may hold only ${Object.keys(MEMBERS).join(', ')}`;
  for (const [member, memberFault] of Object.entries(MEMBERS)) {
    const fault = memberFault(entry[member]);
    if (fault !== null) return `: ${member} ${fault}`;
  }
  return null;
}

/** Keys of one name are counted together: with different limits none of them would hold. */
function checkLimits(keys: readonly ApiKey[]): void {
  const known = new Map<string, CallerLimits>();
  for (const [index, { identity, limits }] of keys.entries()) {
    const { ratePerSecond, concurrency } = known.get(identity.name) ?? limits;
    const fault = (member: string): Error => new Error(`entry ${index}: ${member} must be that of the other keys of its name`);
    if (limits.ratePerSecond !== ratePerSecond) throw fault('rate_per_second');
    if (limits.concurrency !== concurrency) throw fault('concurrency');
    known.set(identity.name, limits);
  }
}

function toKey({ name, sha256, scopes, droplets, rate_per_second, concurrency }: Entry): ApiKey {
  const identity = {
    ...{ name, scopes, isAdmin: scopes.includes('admin') },
    droplets: droplets?.map((droplet) => droplet.toLowerCase()) ?? null,
  };
  const limits = { ratePerSecond: rate_per_second ?? null, concurrency: concurrency ?? null };
  return { identity, limits, expiresAt: Infinity, sha256: Buffer.from(sha256, 'hex') };
}
