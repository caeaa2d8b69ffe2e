import { Injectable } from '@nestjs/common';
import { isJsonObject, type JsonObject } from '../common/json.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Settings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import type { Answer, Outcome } from '../outbound/outcome.js';
import { RetryPolicy } from '../outbound/retry.policy.js';
import type { Target } from '../outbound/target-url.js';
import { BadDocumentError, readDocument, type RegistryDocument } from './registry.document.js';

const ANSWER_LIMIT = 5 * 1024 * 1024;
const MAX_REDIRECTS = 3;

/** The Registry gave no answer at all. */
export class RegistrySilentError extends Error {}

/** The Registry answered with a status that is not good. */
export class RegistryRefusedError extends Error {
  constructor(
    readonly status: number,
    message = `The Registry answered ${status}`,
  ) {
    super(message);
  }
}

/** What we register as. */
export interface Registration {
  readonly name: string;
  readonly url: string;
  readonly version: string;
  readonly id?: number;
}

interface RegistryRequest {
  readonly method: string;
  readonly target: Target;
  readonly body?: object;
}

/** The calls to a real Registry; contract §5. One attempt each: who calls repeats in its own rhythm. */
@Injectable()
export class RegistryClient {
  constructor(
    private readonly policy: RetryPolicy,
    private readonly settings: Settings,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** @throws RegistrySilentError, RegistryRefusedError, BadDocumentError */
  async list(): Promise<RegistryDocument> {
    const answer = await this.follow(this.target('/droplets'), MAX_REDIRECTS);
    return readDocument(answer.body.toString('utf8').replace(/^\uFEFF/, ''));
  }

  /** @throws RegistrySilentError, RegistryRefusedError (409: the name is taken) */
  async register(registration: Registration): Promise<void> {
    await this.call({ method: 'POST', target: this.target('/register'), body: registration });
  }

  /** The id that the Registry has under a name. @throws RegistrySilentError, RegistryRefusedError, BadDocumentError */
  async idOf(name: string): Promise<number | string> {
    const { body } = await this.call({ method: 'GET', target: this.target(`/droplets/name/${encodeURIComponent(name)}`) });
    const value: unknown = JSON.parse(body.toString('utf8'));
    const droplet = isJsonObject(value) && isJsonObject(value.droplet) ? value.droplet : value;
    const id = isJsonObject(droplet) ? droplet.id : undefined;
    if (typeof id !== 'number' && typeof id !== 'string') throw new BadDocumentError('The answer holds no droplet with an id');
    return id;
  }

  /** @throws RegistrySilentError, RegistryRefusedError */
  async update(id: number | string, change: JsonObject): Promise<void> {
    await this.call({ method: 'PATCH', target: this.target(`/droplets/${encodeURIComponent(id)}`), body: change });
  }

  private target(path: string): Target {
    return targetOf(new URL(`${this.settings.REGISTRY_URL ?? ''}${path}`));
  }

  /** Follows redirects, but only to the same host and port. */
  private async follow(target: Target, left: number): Promise<Answer> {
    try {
      return await this.call({ method: 'GET', target });
    } catch (error) {
      const next = error instanceof RedirectedError ? targetOf(new URL(error.location, target.url)) : undefined;
      if (!next || left === 0 || next.origin !== target.origin) throw error;
      return this.follow(next, left - 1);
    }
  }

  private async call({ method, target, body }: RegistryRequest): Promise<Answer> {
    const { REGISTRY_TIMEOUT: timeoutMs } = this.settings;
    const { outcome } = await this.policy.execute(
      {
        method,
        target: () => target,
        headers: () => this.headers(body !== undefined),
        body: body === undefined ? null : JSON.stringify(body),
        responseLimit: ANSWER_LIMIT,
      },
      {
        maxAttempts: 1,
        timeoutMs,
        attemptTimeoutMs: timeoutMs,
        backoff: { baseMs: 1, maxMs: 1, jitter: 'none' },
        retryUnsafe: false,
        retryStatuses: [],
        isPatient: false,
      },
      { stop: () => [this.lifecycle.draining], abort: this.lifecycle.draining },
    );
    return goodAnswer(outcome);
  }

  private headers(hasBody: boolean): Record<string, string> {
    const { REGISTRY_TOKEN } = this.settings;
    return {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': `fpai-orchestrator/${VERSION}`,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(REGISTRY_TOKEN === null ? {} : { authorization: `Bearer ${REGISTRY_TOKEN}` }),
    };
  }
}

/** A redirect: refused like any other status, unless the caller follows it. */
class RedirectedError extends RegistryRefusedError {
  constructor(
    status: number,
    readonly location: string,
  ) {
    super(status);
  }
}

function goodAnswer(outcome: Outcome): Answer {
  if (outcome.kind === 'too-large') throw new RegistryRefusedError(outcome.status, outcome.message);
  if (outcome.kind !== 'answered') throw new RegistrySilentError(outcome.message);
  const { status, headers } = outcome;
  if (status >= 200 && status < 300) return outcome;
  const { location } = headers;
  throw status < 400 && typeof location === 'string' ? new RedirectedError(status, location) : new RegistryRefusedError(status);
}

const targetOf = ({ origin, pathname, search, href }: URL): Target => ({
  origin,
  path: pathname + search,
  endpoint: origin,
  url: href,
});
