import { Command, InvalidArgumentError, Option } from 'commander';
import type { RetryTasks } from '../client/entry.js';
import type { Attach } from './attach.js';
import { EXIT } from './exit.codes.js';
import { withTimes } from './filter.options.js';
import { forEachTask } from './many.js';
import { integerBetween } from './numbers.js';
import { UsageError } from './usage.error.js';

interface RetryOptions {
  readonly status?: 'error' | 'timeout' | 'cancelled';
  readonly droplet?: string;
  readonly after?: string;
  readonly before?: string;
  readonly limit?: number;
  readonly rate?: number;
}

const HELP = `
A task that did not succeed runs again under its id, and its history goes on. One that succeeded, or is not over, cannot be
retried (exit code 4). Without ids, at least one of --status, --droplet, --after and --before says which.

Examples:
  orchestrator retry 01a2087f-b6cb-763f-a7f0-1182ceb487e5
  orchestrator retry --status error --droplet flaky --after 1h --rate 10`;

/** Runs tasks again. */
export const retryCommand = (attach: Attach): Command =>
  attach<RetryOptions>(
    withTimes(
      new Command('retry')
        .summary('run tasks again that failed')
        .description('Runs one or many tasks again that did not succeed.')
        .argument('[id...]', 'the ids of the tasks')
        .addOption(new Option('--status <status>', 'all that ended so').choices(['error', 'timeout', 'cancelled']))
        .option('--droplet <name>', 'all of this droplet that failed'),
    )
      .option('--limit <n>', 'how many at most; 1000 unless said', integerBetween(1, 100_000))
      .option('--rate <n>', 'how many become due a second; all at once unless said', rate)
      .addHelpText('after', HELP),
    async (session, ids, options) => {
      const which = whichOf(options);
      const isMany = Object.values(which).some((value) => value !== undefined);
      if (isMany === ids.length > 0) throw new UsageError('Give either ids, or --status, --droplet, --after or --before');
      const { output, signal } = session;
      const client = session.client();
      if (!isMany) return forEachTask(session, ids, { command: 'retry', work: (id) => client.retry(id, { signal }) });
      if (which.status === undefined && !options.droplet && !options.after && !options.before)
        throw new UsageError('Say which: --status, --droplet, --after or --before');
      const result = await client.retryMany(which, { signal });
      await output.show(result, () => `${result.scheduled} tasks will run again`);
      return EXIT.done;
    },
  );

const whichOf = ({ status, droplet, after, before, limit, rate: perSecond }: RetryOptions): RetryTasks => ({
  ...{ status, droplet_name: droplet, created_after: after && instant(after), created_before: before && instant(before) },
  ...{ limit, rate_per_second: perSecond },
});

/** In a body, epoch seconds are a number. */
const instant = (text: string): number | string => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

function rate(text: string): number {
  const value = Number(text);
  if (!(value >= 0.001 && value <= 10_000)) throw new InvalidArgumentError('Give a number from 0.001 to 10000.');
  return value;
}
