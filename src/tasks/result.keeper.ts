import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { StorageUnavailableError } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { Log } from '../common/log.js';

/** The wait before a result that the store would not take is offered again. */
const OFFER_AGAIN_MS = 500;

/** Sees to it that what came of an attempt is not lost while the store fails. */
@Injectable()
export class ResultKeeper {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Offers a write until the store takes it; null when the process ends first, and the task will run again. */
  async keep<T>(taskId: string, write: () => Promise<T>): Promise<T | null> {
    do {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof StorageUnavailableError)) throw error;
        this.log.warn({ task_id: taskId }, 'result not stored yet');
      }
    } while (await this.clock.sleep(OFFER_AGAIN_MS, this.lifecycle.aborting));
    return null;
  }
}
