import type { Target } from '../outbound/target-url.js';

export const CALLBACK_URL_LENGTH = 2048;

/** What is wrong with a callback URL, or null; contract §2. @param allowsHttp with CALLBACK_ALLOW_PRIVATE */
export function callbackFault(value: unknown, allowsHttp: boolean): string | null {
  if (typeof value !== 'string' || value.length > CALLBACK_URL_LENGTH || !/^[\x21-\x7e]+$/.test(value))
    return 'must be a URL of at most 2048 characters';
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const schemes = allowsHttp ? ['https:', 'http:'] : ['https:'];
  if (!url || !schemes.includes(url.protocol)) return `must be an ${allowsHttp ? 'http or https' : 'https'} URL`;
  return url.username || url.password || url.hash ? 'may not have a user or a fragment' : null;
}

/** Where a callback goes. */
export function callbackTarget(value: string): Target {
  const { origin, pathname, search } = new URL(value);
  return { origin, path: pathname + search, endpoint: origin, url: value };
}
