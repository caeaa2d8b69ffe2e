import { Command } from 'commander';
import type { ListedTask, TaskPage } from '../client/entry.js';
import type { Attach } from './attach.js';
import { durationText } from './duration.js';
import { EXIT } from './exit.codes.js';
import { filterOf, withFilters, type FilterOptions } from './filter.options.js';
import { integerBetween } from './numbers.js';
import type { Output } from './output.js';
import { plain } from './plain.text.js';

interface TasksOptions extends FilterOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: true;
}

const HELP = `
The newest come first. With --all, each page is a JSON reply of its own, one after the other.

Examples:
  orchestrator tasks --status error --droplet flaky --after 1h
  orchestrator tasks --meta order=7 --json
  orchestrator tasks --all --json`;

/** Lists records. */
export const tasksCommand = (attach: Attach): Command =>
  attach<TasksOptions>(
    withFilters(new Command('tasks').summary('list tasks').description('Lists the tasks that are on record, newest first.'))
      .option('--limit <n>', 'how many on a page, 1 to 1000; 100 unless said', integerBetween(1, 1000))
      .option('--cursor <cursor>', 'the next_cursor of the page before')
      .option('--all', 'every page')
      .addHelpText('after', HELP),
    async ({ client, output, signal }, _args, options) => {
      const { all, cursor, limit = all ? 1000 : undefined } = options;
      for await (const page of client().taskPages({ ...filterOf(options), limit, cursor }, { signal })) {
        await output.show(page, () => pageText(page, output, all === true));
        if (!all) break;
      }
      return EXIT.done;
    },
  );

const COLUMNS = [
  ...[{ head: 'ID' }, { head: 'STATUS' }, { head: 'DROPLET', mayBeCut: true }, { head: 'REQUEST', mayBeCut: true }],
  ...[{ head: 'ANSWER' }, { head: 'TRIES' }, { head: 'TOOK' }, { head: 'AGE' }],
];

function pageText({ tasks, total, total_exact, next_cursor }: TaskPage, output: Output, isAll: boolean): string {
  if (tasks.length === 0) return 'No task fits.';
  const now = Date.now();
  const table = output.table(
    COLUMNS,
    tasks.map((task) => rowOf(task, now, output)),
  );
  const count = `${tasks.length} of ${total_exact ? '' : 'at least '}${total}`;
  const more = next_cursor === null || isAll ? count : `${count}; the next: --cursor ${next_cursor}, or --all`;
  return `${table}\n${output.paint.faint(more)}`;
}

function rowOf(task: ListedTask, now: number, { paint }: Output): string[] {
  const { id, status, droplet_name, method, path, response_status, error, attempts, duration_ms, created_at } = task;
  return [
    ...[id, paint.status(status), plain(droplet_name), plain(`${method} ${path}`)],
    ...[
      response_status?.toString() ?? error?.code ?? '-',
      String(attempts),
      duration_ms === null ? '-' : durationText(duration_ms),
    ],
    durationText(Math.max(0, now - created_at * 1000)),
  ];
}
