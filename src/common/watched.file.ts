import { isDeepStrictEqual } from 'node:util';
import { BadSettingError } from '../config/setting.js';
import type { Clock } from './clock.js';
import type { Log } from './log.js';

/** How often the file is read: a mounted one changes without any sign that could be waited for. */
const LOOK_EVERY_MS = 2000;

/** A file that a setting names. */
export interface FilePlan<T> {
  readonly setting: string;
  /** As the log calls it. */
  readonly name: string;
  /** @throws Error with the reason, which shows no value of the file */
  read(): Promise<T>;
  /** Puts what was read in force; returns what the log is told of it. */
  take(value: T): object;
}

/** What a file is watched with. */
export interface WatchParts {
  readonly clock: Clock;
  readonly log: Log;
}

/** A file that is read at the start, and again whenever what it says changes; a bad one leaves what was taken before in force. */
export class WatchedFile<T> {
  private readonly stopped = new AbortController();
  private last: T | null = null;

  constructor(
    private readonly plan: FilePlan<T>,
    private readonly parts: WatchParts,
  ) {}

  /** Takes the file and begins to watch it. @throws BadSettingError when it cannot be used */
  async open(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      throw new BadSettingError(this.plan.setting, `cannot be used: ${(error as Error).message}`);
    }
    void this.watch();
  }

  stop(): void {
    this.stopped.abort();
  }

  private async watch(): Promise<void> {
    const { clock, log } = this.parts;
    let told = '';
    while (await clock.sleep(LOOK_EVERY_MS, this.stopped.signal)) {
      try {
        await this.look();
        told = '';
      } catch (error) {
        const { message } = error as Error;
        if (message !== told) log.error({ fault: message }, `${this.plan.name} not taken, the old one holds`);
        told = message;
      }
    }
  }

  private async look(): Promise<void> {
    const { plan, parts, last } = this;
    const value = await plan.read();
    if (isDeepStrictEqual(value, last)) return;
    this.last = value;
    const taken = plan.take(value);
    if (last !== null) parts.log.info(taken, `${plan.name} taken`);
  }
}
