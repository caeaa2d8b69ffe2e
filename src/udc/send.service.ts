import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { mayCall } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { ForbiddenError, OrchestratorError } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';
import { iso } from '../common/time.js';
import { Settings } from '../config/settings.js';
import { DropletClient } from '../outbound/droplet.client.js';
import { isSuccess } from '../outbound/outcome.js';
import { TraceContext } from '../outbound/trace-context.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import { PolicyBook } from '../registry/policy.book.js';
import { NO_WISHES, synchronousPlan } from '../tasks/retry.plan.js';
import type { Send } from './message.dto.js';
import type { Sender } from './message.service.js';

/** Delivers messages to other droplets' `/message`; contract §3. */
@Injectable()
export class SendService {
  constructor(
    private readonly directory: DropletDirectory,
    private readonly policies: PolicyBook,
    private readonly client: DropletClient,
    private readonly lifecycle: Lifecycle,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** @throws ForbiddenError for a droplet that the caller may not have called */
  async send(message: Send, sender: Sender) {
    const traceId = randomUUID();
    const sent = await this.deliver(message, traceId, sender);
    this.log.info({ request_id: sender.id, message_trace_id: traceId, droplet: message.target, sent }, 'message sent');
    return { sent, trace_id: traceId, target: message.target, timestamp: this.timestamp(), result: sent ? 'success' : 'error' };
  }

  /** True when the droplet took it; an unknown or unreachable one is no error here. */
  private async deliver(message: Send, traceId: string, { id, identity }: Sender): Promise<boolean> {
    try {
      const droplet = await this.directory.findByIdOrName(String(message.target));
      if (!mayCall(identity, droplet.name)) throw ForbiddenError.droplet();
      const policy = this.policies.policyOf(droplet);
      const { outcome } = await this.client.call(
        {
          name: droplet.name,
          endpoint: () => (this.directory.current(droplet.name) ?? droplet).endpoint,
          method: 'POST',
          path: '/message',
          payload: this.body(message, traceId),
          taskId: traceId,
          requestId: id,
          trace: TraceContext.from(undefined),
          headers: {},
          policy,
        },
        // How often is the sender's word; all else is the droplet's policy, or the settings.
        synchronousPlan({ ...NO_WISHES, maxAttempts: message.retry_count }, this.settings, policy),
        { stop: () => [this.lifecycle.draining], abort: this.lifecycle.aborting },
      );
      return isSuccess(outcome);
    } catch (error) {
      if (error instanceof OrchestratorError && !(error instanceof ForbiddenError)) return false;
      throw error;
    }
  }

  private body({ target, message_type, payload, priority }: Send, trace_id: string): string {
    return JSON.stringify({
      trace_id,
      source: 'orchestrator',
      target,
      message_type,
      payload,
      priority,
      timestamp: this.timestamp(),
    });
  }

  private timestamp(): string {
    return iso(this.clock.now());
  }
}
