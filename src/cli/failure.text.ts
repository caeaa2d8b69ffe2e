import { type OrchestratorError } from '../client/entry.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { plain } from './plain.text.js';

/** What is said of a failure: why, what to do next, and what scripts get. */
export interface Explained {
  readonly message: string;
  readonly advice: string;
  readonly code: ExitCode;
}

/** Where the request went. */
export interface Place {
  readonly url: string;
  readonly hasKey: boolean;
  /** The command, as it was given: `droplets pause`. */
  readonly command: string;
}

/** Explains what a request failed with. */
export function explain(error: OrchestratorError, place: Place): Explained {
  const { code, advice } = adviceFor(error, place);
  return { message: `${plain(error.message)} (${error.code})`, advice, code };
}

type Advice = Omit<Explained, 'message'>;

const refused = (advice: string): Advice => ({ advice, code: EXIT.refused });

function adviceFor(error: OrchestratorError, { url, hasKey, command }: Place): Advice {
  switch (error.code) {
    case 'UNREACHABLE':
    case 'TIMED_OUT':
      return { advice: noAnswerAdvice(error, command), code: EXIT.unreachable };
    case 'UNEXPECTED_REPLY':
      return { advice: `Is ${url} an orchestrator? If not, set ORCHESTRATOR_URL`, code: EXIT.broken };
    case 'INTERNAL_ERROR':
    case 'NOT_READY':
      return { advice: `The server's log has the reason, under the request id ${plain(error.requestId)}`, code: EXIT.broken };
    case 'UNAUTHORIZED':
      return refused(hasKey ? 'Look at ORCHESTRATOR_KEY: the server does not take this one' : 'Set ORCHESTRATOR_KEY to your key');
    case 'FORBIDDEN':
      return refused('Set ORCHESTRATOR_KEY to a key that may do this');
    case 'DROPLET_NOT_FOUND':
      return refused(knownDroplets(error));
    case 'TASK_NOT_FOUND':
      return refused(`Look for it with 'orchestrator tasks'`);
    case 'CONFLICT':
      return refused(conflictAdvice(command));
    case 'IDEMPOTENCY_MISMATCH':
      return refused('Give another --key, or repeat the first request exactly');
    case 'PAYLOAD_TOO_LARGE':
      return refused('Send less, or raise BODY_LIMIT of the server');
    case 'INVALID_REQUEST':
    case 'UNSUPPORTED_MEDIA_TYPE':
      return refused(`See 'orchestrator ${command} --help'`);
    case 'NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
      return refused(`Is ${url} an orchestrator, and as new as this command? If not, set ORCHESTRATOR_URL`);
    case 'RATE_LIMITED':
    case 'OVERLOADED':
    case 'CIRCUIT_OPEN':
    case 'STORAGE_UNAVAILABLE':
    case 'REGISTRY_ERROR':
      return { advice: laterAdvice(error), code: EXIT.notNow };
  }
  // A newer orchestrator may know more codes than this command.
  return refused(`See 'orchestrator ${plain(command)} --help'`);
}

function knownDroplets({ details }: OrchestratorError): string {
  const names = Array.isArray(details?.available_droplets) ? details.available_droplets.map(plain) : [];
  const shown = names.slice(0, 8).join(', ');
  const known =
    names.length > 0
      ? `Known: ${shown}${names.length > 8 ? ', …' : ''}; see 'orchestrator droplets'`
      : `See 'orchestrator droplets'`;
  return `${known}, or add one with 'orchestrator droplets add NAME URL'`;
}

/** Whether something may be left undone, or done without anybody's knowledge, when the command ends early. */
export const changesTasks = (command: string): boolean => ['submit', 'cancel', 'retry', 'bench'].includes(command);

function noAnswerAdvice({ code, mayHaveArrived }: OrchestratorError, command: string): string {
  const later = command === 'submit' && code === 'TIMED_OUT' ? '; for what takes long there is --async' : '';
  if (mayHaveArrived && changesTasks(command))
    return `See with 'orchestrator tasks' whether it was done, before you repeat it${later}`;
  if (mayHaveArrived && command.startsWith('droplets ')) return `See with 'orchestrator droplets' whether it was done`;
  if (code === 'TIMED_OUT') return 'Try again later; the server is slow, or the network is';
  return `Start one with 'orchestrator serve', or set ORCHESTRATOR_URL to where one is`;
}

function conflictAdvice(command: string): string {
  if (command === 'submit') return `See with 'orchestrator tasks' how the first one stands, and ask again`;
  return command.startsWith('droplets') ? `See 'orchestrator droplets'` : `See with 'orchestrator task ID' how it stands`;
}

function laterAdvice({ code, retryAfter, details }: OrchestratorError): string {
  const again = retryAfter === null ? 'Try again later' : `Try again in ${retryAfter} s`;
  if (code !== 'CIRCUIT_OPEN') return again;
  return details?.reason === 'paused'
    ? `Let it go on with 'orchestrator droplets resume ${plain(details.droplet)}', or hand the task over with --async`
    : `${again}, or hand the task over with --async: it then waits`;
}
