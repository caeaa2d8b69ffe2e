import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { callbackJob } from './task.jobs.js';
import { TaskJournal } from './task.journal.js';
import { interruptedResult } from './task.result.js';
import { TaskStore, type Abandoned } from './task.store.js';

/** A task over which the process has died this often is not run again: it may be what kills it. */
const MAX_INTERRUPTIONS = 3;

/** Picks up what a process that died left behind: its asynchronous tasks run again, with no attempt spent. */
@Injectable()
export class TaskRecovery {
  constructor(
    private readonly store: TaskStore,
    private readonly journal: TaskJournal,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async run(): Promise<void> {
    const abandoned = await this.store.abandoned();
    await Promise.all(abandoned.map((each) => this.recover(each)));
    if (abandoned.length > 0) this.log.info({ tasks: abandoned.length }, 'abandoned tasks picked up');
  }

  private async recover({ task, job }: Abandoned): Promise<void> {
    const again = job && { ...job, dueAt: this.clock.now(), interruptions: job.interruptions + 1 };
    if (again?.kind === 'callback') return this.store.settleCallback(task.id, task.callback ?? NOT_TRIED, again);
    if (again && again.interruptions < MAX_INTERRUPTIONS) {
      await this.store.settle(task.id, { change: { status: 'queued' }, next: again, from: ['running'] });
      return;
    }
    const change = this.journal.ending(task, interruptedResult(task, again?.interruptions ?? 1));
    const settled = await this.store.settle(task.id, { change, next: callbackJob(task, this.clock.now(), this.settings) });
    if (settled) this.journal.changed(settled, task.request?.requestId ?? '');
  }
}

const NOT_TRIED = { status: 'pending', attempts: 0, last_error: null } as const;
