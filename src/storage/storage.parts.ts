import type { Clock } from '../common/clock.js';
import type { Log } from '../common/log.js';
import type { Settings } from '../config/settings.js';

/** Is told of each commit: how many writes it took, and how long. */
export type CommitListener = (writes: number, ms: number) => void;

/** What a storage is opened with. */
export interface StorageParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly onCommit: CommitListener;
}
