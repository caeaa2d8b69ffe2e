import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/log.js';
import { Settings } from '../config/settings.js';
import { callbackJob } from './task.jobs.js';
import { TaskJournal } from './task.journal.js';
import type { TaskRecord } from './task.js';
import { interruptedResult } from './task.result.js';
import { TaskStore, type Abandoned } from './task.store.js';

/** A look at what other processes left behind. */
const LOOK_EVERY_MS = 5000;

/** Picks up what a process that died left behind: its asynchronous tasks run again, with no attempt spent. */
@Injectable()
export class TaskRecovery implements OnModuleDestroy {
  private readonly stopped = new AbortController();

  constructor(
    private readonly store: TaskStore,
    private readonly journal: TaskJournal,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Picks up what there is, and looks again now and then. */
  async start(): Promise<void> {
    await this.pickUp();
    void this.lookAgain();
  }

  onModuleDestroy(): void {
    this.stopped.abort();
  }

  private async lookAgain(): Promise<void> {
    while (await this.clock.sleep(LOOK_EVERY_MS, this.stopped.signal)) {
      await this.pickUp().catch((err: unknown) => this.log.warn({ err }, 'abandoned tasks not looked for'));
    }
  }

  private async pickUp(): Promise<void> {
    const abandoned = await this.store.abandoned();
    await Promise.all(abandoned.map((each) => this.recover(each)));
    if (abandoned.length > 0) this.journal.recovered(abandoned.length);
  }

  private async recover({ task, job }: Abandoned): Promise<void> {
    if (!job) return this.end(task);
    const next = { ...job, dueAt: this.clock.steady(), interruptions: job.interruptions + 1 };
    if (job.kind === 'callback')
      return this.store.settleCallback(task.id, { callback: task.callback ?? NOT_TRIED, next, lease: null });
    await this.store.settle(task.id, { change: { status: 'queued' }, next, from: ['running'] });
  }

  /** Its caller is gone with the process that called for it. */
  private async end(task: TaskRecord): Promise<void> {
    const change = this.journal.ending(task, interruptedResult(task, 1));
    const next = callbackJob(task, this.clock.steady(), this.settings);
    const settled = await this.store.settle(task.id, { change, next, from: ['running'] });
    if (settled) this.journal.changed(settled, task.request?.requestId ?? '');
  }
}

const NOT_TRIED = { status: 'pending', attempts: 0, last_error: null } as const;
