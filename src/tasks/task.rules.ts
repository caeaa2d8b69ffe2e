import { Injectable } from '@nestjs/common';
import { mayCall, type Identity } from '../common/access.js';
import { ForbiddenError, InvalidRequestError, type OrchestratorError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { callbackFault } from './callback.url.js';
import { LONGEST_SYNCHRONOUS_MS } from './retry.plan.js';
import type { SubmitTask } from './submit-task.dto.js';

/** The rules for a task that depend on the settings, or on more than one field; contract §2. */
@Injectable()
export class TaskRules {
  constructor(private readonly settings: Settings) {}

  /** @throws InvalidRequestError, ForbiddenError */
  check(task: SubmitTask, isAsynchronous: boolean, identity: Identity): void {
    const refusal = this.refusal(task, isAsynchronous, identity);
    if (refusal) throw refusal;
  }

  /** The task of a batch, or why it is refused. */
  checked(task: SubmitTask, identity: Identity): SubmitTask | OrchestratorError {
    return this.refusal(task, true, identity) ?? task;
  }

  private refusal(task: SubmitTask, isAsynchronous: boolean, identity: Identity): OrchestratorError | null {
    if (!mayCall(identity, task.droplet_name)) return ForbiddenError.droplet();
    const fault = this.callbackFault(task) ?? fieldFault(task, isAsynchronous);
    return fault && InvalidRequestError.of(...fault);
  }

  private callbackFault({ callback_url }: SubmitTask): [string, string] | null {
    if (callback_url === null) return null;
    if (this.settings.CALLBACK_SECRET.length === 0) return ['callback_url', 'needs CALLBACK_SECRET to be set'];
    const fault = callbackFault(callback_url, this.settings.CALLBACK_ALLOW_PRIVATE);
    return fault === null ? null : ['callback_url', fault];
  }
}

function fieldFault({ timeout_ms, delay_ms, run_at, headers }: SubmitTask, isAsynchronous: boolean): [string, string] | null {
  if (delay_ms !== null && run_at !== null) return ['run_at', 'may not stand beside delay_ms'];
  if (!isAsynchronous && (timeout_ms ?? 0) > LONGEST_SYNCHRONOUS_MS) {
    return ['timeout_ms', `must not be greater than ${LONGEST_SYNCHRONOUS_MS} for a synchronous task`];
  }
  const isAuthorized = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
  if (isAsynchronous && isAuthorized) return ['headers', 'may not set authorization on an asynchronous task: it is never stored'];
  return null;
}
