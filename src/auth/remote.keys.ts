import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../common/clock.js';
import type { Lifecycle } from '../common/lifecycle.js';
import type { Log } from '../common/log.js';
import { VERSION } from '../config/version.js';
import type { RetryPolicy } from '../outbound/retry.policy.js';
import type { Target } from '../outbound/target-url.js';

/** How often the keys are read again, so that one that was taken back does not hold for ever. */
const LOOK_EVERY_MS = 600_000;
/** How often they are looked at again while that fails. */
const AFTER_FAILURE_MS = 10_000;
/** A token with a key that is not known has the keys read again, but not sooner than this after the last time. */
const COOLDOWN_MS = 5000;
const TIMEOUT_MS = 5000;
const ANSWER_LIMIT = 1024 * 1024;

/** What keys are read with. */
export interface RemoteParts {
  readonly policy: RetryPolicy;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The keys of JWT_JWKS_URL: jose looks them up, every read goes through RetryPolicy. While the URL does not answer, the
 * keys that were had last hold: that it is away for an hour must not shut out every caller.
 */
export class RemoteKeys {
  /** Finds the key that a token names. */
  readonly find: JWTVerifyGetKey;
  private readonly reload: () => Promise<void>;
  private readonly stopped = new AbortController();
  private readonly target: Target;
  private told = '';
  /** When they were last read, well or badly; monotonic ms. */
  private readAt = -Infinity;

  constructor(
    url: string,
    private readonly parts: RemoteParts,
  ) {
    const { origin, pathname, search, href } = new URL(url);
    this.target = { origin, path: pathname + search, endpoint: origin, url: href };
    const keys = createRemoteJWKSet(new URL(url), {
      [customFetch]: () => this.readUnlessJustRead(),
      cacheMaxAge: Infinity,
      cooldownDuration: COOLDOWN_MS,
    });
    this.find = keys;
    this.reload = () => keys.reload();
  }

  /** Reads the keys now, and now and then. */
  async watch(): Promise<void> {
    const { clock } = this.parts;
    for (let isOver = false; !isOver;) {
      const wait = (await this.look()) ? LOOK_EVERY_MS : AFTER_FAILURE_MS;
      isOver = !(await clock.sleep(wait, this.stopped.signal));
    }
  }

  stop(): void {
    this.stopped.abort();
  }

  private async look(): Promise<boolean> {
    this.readAt = -Infinity;
    try {
      await this.reload();
      this.told = '';
      return true;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.told) this.parts.log.error({ fault: message }, 'keys of JWT_JWKS_URL not read, the old ones hold');
      this.told = message;
      return false;
    }
  }

  /** jose's own cooldown begins with a success: without this, every token would have a URL asked that fails. */
  private async readUnlessJustRead(): Promise<Response> {
    const { clock } = this.parts;
    if (clock.monotonic() - this.readAt < COOLDOWN_MS) throw new Error('The keys were read a moment ago');
    try {
      return await this.read();
    } finally {
      this.readAt = clock.monotonic();
    }
  }

  private async read(): Promise<Response> {
    const { policy, lifecycle } = this.parts;
    const { outcome } = await policy.execute(
      {
        method: 'GET',
        target: () => this.target,
        headers: () => ({
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': `fpai-orchestrator/${VERSION}`,
        }),
        body: null,
        responseLimit: ANSWER_LIMIT,
      },
      {
        ...{ maxAttempts: 1, timeoutMs: TIMEOUT_MS, attemptTimeoutMs: TIMEOUT_MS, retryUnsafe: false, retryStatuses: [] },
        ...{ backoff: { baseMs: 1, maxMs: 1, jitter: 'none' }, isPatient: false },
      },
      { stop: () => [], abort: lifecycle.aborting },
    );
    if (outcome.kind !== 'answered') throw new Error(outcome.message);
    if (outcome.status !== 200) throw new Error(`The answer was ${outcome.status}`);
    return new Response(new Uint8Array(outcome.body));
  }
}
