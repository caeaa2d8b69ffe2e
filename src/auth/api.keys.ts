import type { OnModuleDestroy } from '@nestjs/common';
import { createHash, timingSafeEqual } from 'node:crypto';
import { WatchedFile, type WatchParts } from '../common/watched.file.js';
import { Authenticator, type KnownCaller } from './authenticator.js';
import { readKeyFile, type ApiKey } from './key.file.js';

/** AUTH_MODE=apikey: the keys of API_KEYS_FILE, read again whenever it changes; a bad one leaves the old keys in force. */
export class ApiKeys extends Authenticator implements OnModuleDestroy {
  private readonly file: WatchedFile<readonly ApiKey[]>;
  private change = new AbortController();
  private keys: readonly ApiKey[] = [];

  private constructor(file: string, parts: WatchParts) {
    super();
    const read = (): Promise<readonly ApiKey[]> => readKeyFile(file);
    const take = (keys: readonly ApiKey[]): object => this.take(keys);
    this.file = new WatchedFile({ setting: 'API_KEYS_FILE', name: 'key file', read, take }, parts);
  }

  /** @throws BadSettingError when the file cannot be used */
  static async open(file: string, parts: WatchParts): Promise<ApiKeys> {
    const self = new ApiKeys(file, parts);
    await self.file.open();
    return self;
  }

  override get changed(): AbortSignal {
    return this.change.signal;
  }

  onModuleDestroy(): void {
    this.file.stop();
  }

  /** Every key is looked at, whichever fits: the time it takes says nothing of them. */
  authenticate(credential: string): Promise<KnownCaller | null> {
    const sha256 = createHash('sha256').update(credential).digest();
    const found = this.keys.filter((key) => timingSafeEqual(key.sha256, sha256));
    return Promise.resolve(found[0] ?? null);
  }

  private take(keys: readonly ApiKey[]): object {
    const { change } = this;
    this.keys = keys;
    this.change = new AbortController();
    change.abort();
    return { keys: keys.length };
  }
}
