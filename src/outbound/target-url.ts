import { InvalidRequestError } from '../common/errors.js';

/** Where one call goes: `origin` and `path` as they are sent, `endpoint` and `url` as they are shown. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  readonly endpoint: string;
  readonly url: string;
}

const ONLY_PRINTABLE = /^[\x21-\x7e]+$/;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
const FORBIDDEN_IN_PATH = /\\|%00|%2f|%5c/i;

/** Why a task's path is refused, or null; contract §6. It is never repaired. */
export function pathFault(path: string): string | null {
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

/**
 * The endpoint (trailing slash dropped) and the path, joined.
 * @throws InvalidRequestError unless the result keeps the endpoint's origin and path prefix
 */
export function targetUrl(endpoint: string, path: string): Target {
  const base = endpoint.replace(/\/+$/, '');
  const home = new URL(base);
  const prefix = home.pathname === '/' ? '' : home.pathname;
  const url = base + path;
  const joined = URL.parse(url);
  const stays = joined?.origin === home.origin && joined.pathname.startsWith(`${prefix}/`);
  const fault = pathFault(path) ?? (stays ? null : 'leaves the droplet');
  if (fault) throw InvalidRequestError.of('path', fault);
  return { origin: home.origin, path: prefix + path, endpoint: base, url };
}
