import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { OrchestratorError } from '../client/entry.js';
import type { Attach } from './attach.js';
import { benchCommand } from './bench.command.js';
import { cancelCommand } from './cancel.command.js';
import { dropletsCommand } from './droplets.command.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit.codes.js';
import { changesTasks, explain } from './failure.text.js';
import { plain } from './plain.text.js';
import { retryCommand } from './retry.command.js';
import { serveCommand } from './serve.command.js';
import { OutputError } from './output.error.js';
import { openSession, type GlobalOptions, type Session } from './session.js';
import { submitCommand } from './submit.command.js';
import { taskCommand } from './task.command.js';
import { tasksCommand } from './tasks.command.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage.error.js';
import { watchCommand } from './watch.command.js';

const HELP = `
Environment:
  ORCHESTRATOR_URL  where the orchestrator is; http://localhost:8001 unless set
  ORCHESTRATOR_KEY  your key or token, where it asks for one
  NO_COLOR          no colours

On a terminal you get tables; with --json, or into a pipe, the reply as it is.
${EXIT_HELP}

A first task:
  orchestrator serve
  orchestrator submit orchestrator GET /orchestrator/health/live`;

/** Runs one command to its end. @returns the exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const attach: Attach = (command, work) =>
    command.action(async () => {
      const session = openSession(terminal, command.optsWithGlobals<GlobalOptions>());
      try {
        code = await work(session, command.args, command.opts());
      } catch (error) {
        code = failed(error, session, command);
      }
    });
  try {
    await programOf(terminal, attach).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has said what was wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
    throw error;
  }
}

function programOf(terminal: Terminal, attach: Attach): Command {
  const program = new Command('orchestrator')
    .description('Routes tasks to droplets, retries what deserves it, and remembers every one.')
    .version(terminal.version)
    .option('--url <url>', 'where the orchestrator is, instead of ORCHESTRATOR_URL')
    .option('--json', 'the reply as it is, also on a terminal')
    .option('--no-json', 'tables, also into a pipe')
    .addHelpText('after', HELP);
  for (const make of COMMANDS) program.addCommand(make(attach));
  for (const command of withSubcommands(program)) settle(command, terminal);
  return program;
}

const COMMANDS = [
  ...[serveCommand, submitCommand, tasksCommand, taskCommand, watchCommand, cancelCommand, retryCommand],
  ...[dropletsCommand, benchCommand],
];

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)];

/** What all commands have in common; Commander does not hand it down to commands that were made elsewhere. */
function settle(command: Command, { stdout, stderr }: Terminal): void {
  for (const argument of command.registeredArguments)
    if (['id', 'name'].includes(argument.name())) argument.argParser(oneSegment);
  command
    .exitOverride()
    .showHelpAfterError(`See 'orchestrator ${nameOf(command)}--help'`)
    .configureHelp({ showGlobalOptions: command.parent !== null, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(`${plain(text.trim())}\n`),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/** An id or a name goes into the path of a request, where these mean another place. */
function oneSegment(text: string): string {
  if (['', '.', '..'].includes(text)) throw new InvalidArgumentError('Give an id or a name.');
  return text;
}

/** `droplets pause `: the command without the program. */
const nameOf = (command: Command): string => (command.parent ? `${nameOf(command.parent)}${command.name()} ` : '');

/** Says what went wrong and what to do next, in two lines. */
function failed(error: unknown, { terminal, output, url, hasKey }: Session, command: Command): ExitCode {
  if (terminal.interrupted.aborted) return EXIT.interrupted;
  const name = nameOf(command).trim();
  const say = (message: string, advice: string): void => output.note(`${output.notePaint.bad('error:')} ${message}\n  ${advice}`);
  if (error instanceof OutputError) {
    // Of what only reads, whoever closed it, `head` say, has had enough.
    const isChanging = changesTasks(name);
    if (error.isClosed && !isChanging) return EXIT.done;
    say(error.message, isChanging ? `See with 'orchestrator tasks' what was done` : 'Make room for it, or write it elsewhere');
    return error.isClosed ? EXIT.outputClosed : EXIT.broken;
  }
  if (error instanceof UsageError) {
    say(plain(error.message), `See 'orchestrator ${name} --help'`);
    return EXIT.wrongUsage;
  }
  if (error instanceof OrchestratorError) {
    const { message, advice, code } = explain(error, { url, hasKey, command: name });
    say(message, advice);
    return code;
  }
  say(plain(error instanceof Error ? error.message : error), 'This is a fault of the command line: please report it');
  return EXIT.broken;
}
