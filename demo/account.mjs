// Tells in words what a task's record holds: every attempt, what was done about it, and why.

/** The lines that tell of a task. */
export function accountOf({ id, method, path, droplet_name, status, history, error, duration_ms }) {
  const attempts = history.map((attempt, index) => `   ${attemptLine(attempt)}${whatThen(attempt, history[index + 1])}`);
  const why = [...(error ? [whyNoMore(error, history.at(-1), method)] : []), `${duration_ms} ms in all, recorded as ${id}`];
  return [`${method} ${path} at ${droplet_name}: ${status}`, ...attempts, ...why.map((line) => `   ${line}`)];
}

function attemptLine({ attempt, response_status, error_code, duration_ms }) {
  const took = `after ${duration_ms} ms`;
  if (response_status !== null) return `attempt ${attempt}: answered ${response_status} ${took}`;
  return `attempt ${attempt}: ${error_code === 'TIMEOUT' ? 'no answer in time' : 'not reached'} ${took}`;
}

/** What was done about an attempt that was not the last, and why. */
function whatThen({ response_status }, next) {
  if (!next) return '';
  const why = response_status === null ? 'it may be reached the next time' : 'a 5xx may pass';
  return `; ${why}, so called again ${next.delay_ms} ms later`;
}

/** Why the last attempt stayed the last. */
function whyNoMore({ message, details }, { response_status }, method) {
  return `${message}. ${reason(details, response_status, method)}`;
}

function reason({ stopped_by, effect }, status, method) {
  if (stopped_by === 'attempts') return 'Not called again: it had all the attempts that it may have.';
  if (stopped_by === 'deadline') return 'Not called again: the time for the whole task would not have sufficed.';
  if (status !== null && status < 500) return 'Not called again: the same request would get the same answer.';
  if (effect === 'unknown') return `Not called again: the ${method} may have taken effect, and retry_unsafe is false.`;
  return 'Not called again.';
}
