import type { Command, OptionValues } from 'commander';
import type { ExitCode } from './exit.codes.js';
import type { Session } from './session.js';

/** What a command does. */
type Work<O> = (session: Session, args: readonly string[], options: O) => Promise<ExitCode>;

/** Gives a command its work, and what it works with. */
export type Attach = <O extends OptionValues>(command: Command, work: Work<O>) => Command;
