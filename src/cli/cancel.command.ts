import { Command } from 'commander';
import type { Attach } from './attach.js';
import { forEachTask } from './many.js';

const HELP = `
A queued task is never sent; a running call is cut off; a final one cannot be cancelled (exit code 4).

Examples:
  orchestrator cancel 01a2087f-b6cb-763f-a7f0-1182ceb487e5
  orchestrator tasks --status queued --droplet flaky --json | jq -r '.tasks[].id' | xargs orchestrator cancel`;

/** Takes tasks back. */
export const cancelCommand = (attach: Attach): Command =>
  attach(
    new Command('cancel')
      .summary('take tasks back')
      .description('Takes one or many tasks back.')
      .argument('<id...>', 'the ids of the tasks')
      .addHelpText('after', HELP),
    (session, ids) => {
      const client = session.client();
      return forEachTask(session, ids, { command: 'cancel', work: (id) => client.cancel(id, { signal: session.signal }) });
    },
  );
