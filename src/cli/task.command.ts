import { Command } from 'commander';
import type { Attach } from './attach.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit.codes.js';
import { outcomeCode } from './outcome.js';
import { recordText } from './record.text.js';

interface TaskOptions {
  readonly wait?: number | true;
}

const HELP = `
Exit code 0 as long as there is such a task; with --wait, 0 says that it succeeded, 1 that it ended otherwise.

Examples:
  orchestrator task 01a2087f-b6cb-763f-a7f0-1182ceb487e5
  orchestrator task 01a2087f-b6cb-763f-a7f0-1182ceb487e5 --wait 30s`;

/** Shows one record. */
export const taskCommand = (attach: Attach): Command =>
  attach<TaskOptions>(
    new Command('task')
      .summary('show one task with its attempts')
      .description('Shows one task: how it stands, each attempt, and what was answered.')
      .argument('<id>', 'the id of the task')
      .option('--wait [time]', 'until it is final, so long at most (30s, 5m)', durationMs)
      .addHelpText('after', HELP),
    async ({ client, output, signal }, [id = ''], { wait }) => {
      const waitMs = wait === true ? Infinity : (wait ?? 0);
      const task = await client().wait(id, { signal, waitMs });
      await output.show(task, () => recordText(task, output));
      return wait === undefined ? EXIT.done : outcomeCode(task.status);
    },
  );
