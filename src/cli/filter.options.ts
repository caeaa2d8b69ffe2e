import { InvalidArgumentError, Option, type Command } from 'commander';
import type { TaskFilter, TaskStatus } from '../client/entry.js';
import { durationMs } from './duration.js';
import { addMeta } from './task.options.js';

const STATUSES = ['queued', 'running', 'success', 'error', 'timeout', 'cancelled'] as const satisfies readonly TaskStatus[];

/** Which tasks a command is about. */
export interface FilterOptions {
  readonly status?: TaskStatus;
  readonly droplet?: string;
  readonly after?: string;
  readonly before?: string;
  readonly meta?: Readonly<Record<string, string>>;
}

export const withFilters = (command: Command): Command =>
  withTimes(
    command
      .addOption(new Option('--status <status>', 'only those that stand so').choices(STATUSES))
      .option('--droplet <name>', 'only those of this droplet'),
  ).option('--meta <key=value>', 'only those with this word of yours; may be repeated', addMeta);

export const withTimes = (command: Command): Command =>
  command
    .option('--after <time>', 'only those made after: 2030-01-31T12:00:00Z, epoch seconds, or how long ago (10m, 2h)', instant)
    .option('--before <time>', 'only those made before', instant);

export const filterOf = ({ status, droplet, after, before, meta }: FilterOptions): TaskFilter => ({
  ...{ status, dropletName: droplet, createdAfter: after, createdBefore: before, meta },
});

/** What the API takes is left as it is; how long ago is counted back from now. */
function instant(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text) || !Number.isNaN(Date.parse(text))) return text;
  try {
    return new Date(Date.now() - durationMs(text)).toISOString();
  } catch {
    throw new InvalidArgumentError('Write it as 2030-01-31T12:00:00Z, as epoch seconds, or as how long ago: 10m, 2h, 1d.');
  }
}
