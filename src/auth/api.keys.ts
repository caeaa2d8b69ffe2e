import type { OnModuleDestroy } from '@nestjs/common';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../common/clock.js';
import type { Log } from '../common/log.js';
import { BadSettingError } from '../config/setting.js';
import { Authenticator, type KnownCaller } from './authenticator.js';
import { readKeyFile, type ApiKey } from './key.file.js';

/** How often the file is read: a mounted one changes without any sign that could be waited for. */
const LOOK_EVERY_MS = 2000;

/** What the keys are read with. */
export interface KeyParts {
  readonly clock: Clock;
  readonly log: Log;
}

/** AUTH_MODE=apikey: the keys of API_KEYS_FILE, read again whenever it changes; a bad one leaves the old keys in force. */
export class ApiKeys extends Authenticator implements OnModuleDestroy {
  private readonly stopped = new AbortController();
  private change = new AbortController();
  private keys: readonly ApiKey[] = [];
  private text = '';

  private constructor(
    private readonly file: string,
    private readonly parts: KeyParts,
  ) {
    super();
  }

  /** @throws BadSettingError when the file cannot be used */
  static async open(file: string, parts: KeyParts): Promise<ApiKeys> {
    const self = new ApiKeys(file, parts);
    try {
      await self.look();
    } catch (error) {
      throw new BadSettingError('API_KEYS_FILE', `cannot be used: ${(error as Error).message}`);
    }
    void self.watch();
    return self;
  }

  override get changed(): AbortSignal {
    return this.change.signal;
  }

  onModuleDestroy(): void {
    this.stopped.abort();
  }

  /** Every key is looked at, whichever fits: the time it takes says nothing of them. */
  authenticate(credential: string): Promise<KnownCaller | null> {
    const sha256 = createHash('sha256').update(credential).digest();
    const found = this.keys.filter((key) => timingSafeEqual(key.sha256, sha256));
    return Promise.resolve(found[0] ?? null);
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
        if (message !== told) log.error({ fault: message }, 'key file not taken, the old one holds');
        told = message;
      }
    }
  }

  private async look(): Promise<void> {
    const { keys, text } = await readKeyFile(this.file);
    if (text === this.text) return;
    if (this.text !== '') this.parts.log.info({ keys: keys.length }, 'key file taken');
    this.text = text;
    this.keys = keys;
    this.change.abort();
    this.change = new AbortController();
  }
}
