import type { Clock } from '../common/clock.js';
import type { Log } from '../common/log.js';
import type { Settings } from '../config/settings.js';

/** What a storage is opened with. */
export interface StorageParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}
