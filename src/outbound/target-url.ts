import { InvalidRequestError } from '../common/errors.js';

/** Where one call goes: `origin` and `path` as they are sent, `endpoint` and `url` as they are shown. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  readonly endpoint: string;
  readonly url: string;
}

/**
 * A path that stays below any endpoint, whoever reads it: no escape, and no segment that is empty or begins with a dot.
 * It is by far the most usual kind, and to take two URLs apart for it was 4 % of a task's CPU.
 */
const PLAIN_PATH = /^\/(?:[\w~-][\w.~-]*(?:\/|(?=\?|$)))*(?:\?[\x21\x22\x24-\x7e]*)?$/;
const ONLY_PRINTABLE = /^[\x21-\x7e]+$/;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
const FORBIDDEN_IN_PATH = /\\|%00|%2f|%5c/i;

/** Why a task's path is refused, or null; contract §6. It is never repaired. */
export function pathFault(path: string): string | null {
  if (PLAIN_PATH.test(path)) return null;
  if (!ONLY_PRINTABLE.test(path) || path.includes('#')) return 'may hold only printable ASCII without spaces and #';
  if (!path.startsWith('/')) return 'must begin with /';
  if (path.startsWith('//') || path.startsWith('/\\')) return 'must begin with one /';
  const [beforeQuery = ''] = path.split('?', 1);
  if (FORBIDDEN_IN_PATH.test(beforeQuery)) return 'may not hold a backslash, or an escaped slash, backslash or NUL';
  if (BROKEN_ESCAPE.test(beforeQuery)) return 'holds a broken escape';
  if (beforeQuery.split('/').some(climbs)) return 'may not hold . or .. as a segment';
  return null;
}

/** True for a segment that some server would take for `.` or `..`: decoded twice, and without its parameters. */
function climbs(segment: string): boolean {
  const [name] = decode(decode(segment)).split(';', 1);
  return name === '.' || name === '..';
}

/** Percent-decoding byte by byte: dots are ASCII, and a byte that is not UTF-8 must not hide them. */
function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  return segment.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Why an endpoint cannot be called, or null: http or https, without userinfo, query or fragment. */
export function endpointFault(endpoint: string): string | null {
  if (!ONLY_PRINTABLE.test(endpoint) || endpoint.includes('\\') || !URL.canParse(endpoint)) return 'must be a URL';
  if (!/^https?:\/\//i.test(endpoint)) return 'must be an http or https URL';
  if (/[?#]/.test(endpoint)) return 'may not have a query or a fragment';
  // URL takes any number of slashes here: http:///user@host has a user too.
  return /^https?:\/+[^/]*@/i.test(endpoint) ? 'may not have a user' : null;
}

/** Where a droplet lives: `base` is its endpoint without trailing slashes. */
interface Home {
  readonly base: string;
  readonly origin: string;
  readonly prefix: string;
}

/**
 * The endpoint (trailing slash dropped) and the path, joined.
 * @throws InvalidRequestError unless the result keeps the endpoint's origin and path prefix
 */
export function targetUrl(endpoint: string, path: string): Target {
  const home = homeOf(endpoint);
  const fault = pathFault(path) ?? (staysAt(home, path) ? null : 'leaves the droplet');
  if (fault) throw InvalidRequestError.of('path', fault);
  return { origin: home.origin, path: home.prefix + path, endpoint: home.base, url: home.base + path };
}

function staysAt({ base, origin, prefix }: Home, path: string): boolean {
  if (PLAIN_PATH.test(path)) return true;
  const joined = URL.parse(base + path);
  return joined?.origin === origin && joined.pathname.startsWith(`${prefix}/`);
}

/** More endpoints than a mesh has droplets; those of droplets that moved away fall out with the rest when it is full. */
const MOST_HOMES = 10_000;
const homes = new Map<string, Home>();

function homeOf(endpoint: string): Home {
  const known = homes.get(endpoint);
  if (known) return known;
  const base = endpoint.replace(/\/+$/, '');
  const { origin, pathname } = new URL(base);
  // One that ends in a dot segment is a folder: its own slash is dropped too.
  const home = { base, origin, prefix: pathname.replace(/\/$/, '') };
  if (homes.size >= MOST_HOMES) homes.clear();
  homes.set(endpoint, home);
  return home;
}
