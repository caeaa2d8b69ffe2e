import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ANYBODY, holds, type Access } from '../common/access.js';
import { ForbiddenError, UnauthorizedError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { whenOver } from '../inbound/when-over.js';
import { Audit } from './audit.js';
import { Authenticator, type KnownCaller } from './authenticator.js';
import { CallerTraffic } from './caller.traffic.js';
import { credentialOf } from './credential.js';

/**
 * The one guard of all routes, by what each says of itself with `@Public()` or `@Requires()`; a route that says nothing
 * is refused. It stands before the body is read, so that whoever has no key cannot make us read one; a guard of Nest's
 * would come after.
 */
@Injectable()
export class AuthGuard {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly traffic: CallerTraffic,
    private readonly audit: Audit,
    private readonly settings: Settings,
  ) {}

  /** Must be called before the server listens. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      const access = this.accessOf(request);
      // At once, not by a promise a request: most are let through without a question.
      if (access instanceof ForbiddenError) done(access);
      else if (access === 'nothing') done();
      else this.admit(access, request, reply).then(() => done(), done);
    });
    if (this.authenticator.isOff) return;
    // Not `onResponse`, which is not called for an answer whose caller has hung up.
    fastify.addHook('onSend', (request, reply, _payload, done) => {
      this.audit.answered(request, reply);
      done();
    });
  }

  /** @throws UnauthorizedError, ForbiddenError, RateLimitedError */
  private async admit(access: Exclude<Access, 'nothing'>, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const caller = await this.identify(request);
    request.identity = caller.identity;
    await this.holdToLimits(caller, request, reply);
    if (access !== 'metrics' && !holds(caller.identity, access)) throw ForbiddenError.scope(access);
  }

  /** What is left to ask the caller for. A route that does not say is nobody's. */
  private accessOf(request: FastifyRequest): Access | ForbiddenError {
    // What is not there is not there for anybody.
    if (request.is404) return 'nothing';
    const { access } = request.routeOptions.config;
    if (access === undefined) return new ForbiddenError('Nobody may use this route');
    if (access === 'nothing' || (access === 'metrics' && this.settings.METRICS_PUBLIC)) return 'nothing';
    if (!this.authenticator.isOff) return access;
    request.identity = ANYBODY;
    return 'nothing';
  }

  private async identify({ headers }: FastifyRequest): Promise<KnownCaller> {
    const credential = credentialOf(headers);
    const caller = credential === null ? null : await this.authenticator.authenticate(credential);
    if (!caller) throw new UnauthorizedError();
    return caller;
  }

  private async holdToLimits(caller: KnownCaller, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const leave = await this.traffic.enter(caller);
    if (caller.limits.concurrency !== null) whenOver(request, reply, leave);
  }
}
