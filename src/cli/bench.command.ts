import { Command, InvalidArgumentError } from 'commander';
import { OrchestratorError, type OrchestratorClient, type SubmitTask } from '../client/entry.js';
import type { Attach } from './attach.js';
import { figuresOf, type Figures } from './bench.figures.js';
import { concurrently } from './concurrently.js';
import { durationMs } from './duration.js';
import { EXIT } from './exit.codes.js';
import { integerBetween } from './numbers.js';
import type { Output } from './output.js';
import { progressOn, type Progress } from './progress.js';
import type { Session } from './session.js';

interface BenchOptions {
  readonly tasks: number;
  readonly connections: number;
  readonly time: number;
  readonly droplet: string;
  readonly path: string;
}

const HELP = `
It ends after --tasks or --time, whichever comes first. Each task is one GET; they stay on record, so do not run it against
an orchestrator that others need. This client takes a share of the machine too: what it shows is a lower bound.
One more before them shows whether it can be done at all. Exit code 0 says that every task succeeded, 1 that some did not.

Examples:
  orchestrator bench
  orchestrator bench --tasks 20000 --connections 64 --droplet flaky --path /health --json`;

/** Measures how many tasks go through. */
export const benchCommand = (attach: Attach): Command =>
  attach<BenchOptions>(
    new Command('bench')
      .summary('measure how many tasks a second go through')
      .description('Runs many small tasks, and says how many went through and how long they took.')
      .option('--tasks <n>', 'how many', integerBetween(1, 1_000_000), 1000)
      .option('--connections <n>', 'how many at once', integerBetween(1, 1024), 32)
      .option('--time <time>', 'how long at most, up to 10m', benchMs, 30_000)
      .option('--droplet <name>', 'which droplet', 'orchestrator')
      .option('--path <path>', 'which path of it', '/orchestrator/health/live')
      .addHelpText('after', HELP),
    async (session, _args, options) => {
      const client = session.client({ repeats: 0 });
      // What would be refused each time is told once, as submit tells it.
      await client.submit(taskOf(options), { signal: session.signal });
      const bar = await progressOn(session.terminal.stderr, 'running', options.tasks);
      const figures = await measure(session, client, options, bar).finally(() => bar.end());
      await session.output.show(figures, () => figuresText(figures, session.output));
      if (session.signal.aborted) return EXIT.interrupted;
      return figures.tasks === figures.outcomes.success ? EXIT.done : EXIT.taskFailed;
    },
  );

const taskOf = ({ droplet, path }: BenchOptions): SubmitTask => ({ droplet_name: droplet, path });

const LONGEST_MS = 600_000;

function benchMs(text: string): number {
  const value = durationMs(text);
  if (!(value >= 1 && value <= LONGEST_MS)) throw new InvalidArgumentError('Give a time from 1ms to 10m.');
  return value;
}

async function measure({ signal }: Session, client: OrchestratorClient, options: BenchOptions, bar: Progress): Promise<Figures> {
  const task = taskOf(options);
  const durations: number[] = [];
  const outcomes = new Map<string, number>();
  const start = performance.now();
  const end = start + options.time;
  await concurrently(numbers(options.tasks), options.connections, async () => {
    const begun = performance.now();
    if (begun >= end || signal.aborted) return;
    const outcome = await client.submit(task, { signal }).then(
      ({ status, error }) => error?.code ?? status,
      (error: unknown) => (error instanceof OrchestratorError ? error.code : 'INTERRUPTED'),
    );
    durations.push(performance.now() - begun);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    bar.advance(1);
  });
  return figuresOf(durations, performance.now() - start, outcomes);
}

function* numbers(count: number): Generator<number> {
  for (let number = 0; number < count; number++) yield number;
}

function figuresText(figures: Figures, { paint }: Output): string {
  const { tasks, seconds, tasks_per_second, p50_ms, p95_ms, p99_ms, max_ms, outcomes } = figures;
  const words = Object.entries(outcomes).map(([word, count]) => `${count} ${word === 'success' ? word : paint.bad(word)}`);
  return [
    `${paint.bold(`${tasks_per_second} tasks/s`)}  ${tasks} tasks in ${seconds} s: ${words.join(', ')}`,
    `p50 ${p50_ms} ms  p95 ${p95_ms} ms  p99 ${p99_ms} ms  max ${max_ms} ms`,
  ].join('\n');
}
