import type { IncomingHttpHeaders } from 'node:http';

const BEARER = /^Bearer +([^\s]+)$/i;

/** What a caller shows: a Bearer token, or a key as `X-API-Key`; null for nothing. */
export function credentialOf({ authorization, 'x-api-key': key }: IncomingHttpHeaders): string | null {
  const bearer = BEARER.exec(authorization ?? '')?.[1];
  return bearer ?? (typeof key === 'string' && key !== '' ? key : null);
}
