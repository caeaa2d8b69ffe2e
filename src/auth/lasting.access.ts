import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isDeepStrictEqual } from 'node:util';
import { Clock } from '../common/clock.js';
import { Authenticator } from './authenticator.js';
import { credentialOf } from './credential.js';

/** Watches over answers that go on long after their caller was let in. */
@Injectable()
export class LastingAccess {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  /**
   * Calls `end` when the credential of a request is nobody's any more, or lets in somebody else or to something else, who
   * may ask again; not when `over` was aborted before.
   */
  async watch({ headers, identity }: FastifyRequest, over: AbortSignal, end: () => void): Promise<void> {
    const credential = credentialOf(headers);
    if (this.authenticator.isOff || credential === null) return;
    while (!over.aborted) {
      const { changed } = this.authenticator;
      const caller = await this.authenticator.authenticate(credential);
      if (!caller || !isDeepStrictEqual(caller.identity, identity)) return end();
      await this.clock.sleep(caller.expiresAt - this.clock.now(), changed, over);
    }
  }
}
