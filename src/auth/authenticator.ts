import type { Identity } from '../common/access.js';

/** How much one caller may ask for; null for no limit. */
export interface CallerLimits {
  readonly ratePerSecond: number | null;
  /** Requests that are being answered at once. */
  readonly concurrency: number | null;
}

export const UNLIMITED: CallerLimits = { ratePerSecond: null, concurrency: null };

/** A caller whose credential was good. */
export interface KnownCaller {
  readonly identity: Identity;
  readonly limits: CallerLimits;
  /** When the credential is nobody's any more by itself, epoch milliseconds; Infinity for never. */
  readonly expiresAt: number;
}

/** A name as a caller may have one: it stands in rows and log lines. */
export const CALLER_NAME = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

const NEVER = new AbortController().signal;

/** Says whose a credential is: a port, with one implementation for each AUTH_MODE. */
export abstract class Authenticator {
  /** True where nobody is asked for anything: AUTH_MODE=none. */
  readonly isOff: boolean = false;

  /** Aborted when what is known of credentials changes next: one that was good may be so no more. */
  get changed(): AbortSignal {
    return NEVER;
  }

  /** Null when the credential is nobody's. */
  abstract authenticate(credential: string): Promise<KnownCaller | null>;
}

/** AUTH_MODE=none. */
export class NoAuthenticator extends Authenticator {
  override readonly isOff = true;

  authenticate(): Promise<null> {
    return Promise.resolve(null);
  }
}
