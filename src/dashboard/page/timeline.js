/**
 * @typedef {import('./api.types.d.ts').TaskRecord} TaskRecord
 * @typedef {object} Bar
 * @property {number} attempt
 * @property {number} waitFrom where the wait begins, ms as drawn
 * @property {number} waitMs what it really took
 * @property {number} callFrom
 * @property {number} callMs
 * @property {number | null} status
 * @property {string | null} error
 * @property {boolean} isCut the wait is drawn shorter than it was
 * @property {boolean} isOpen it goes on still
 * @property {boolean} isCalling a call is surely under way
 */

/** A wait that is so much longer than all the rest together would leave nothing of it to see. */
const CUT_ABOVE = 6;
const CUT_TO = 3;

const ENDED = { isOpen: false, isCalling: false };

/**
 * Where the waits and calls of a task stand on one line of time.
 * @param {TaskRecord} task
 * @param {number} now epoch seconds
 * @returns {{ totalMs: number, bars: Bar[] }}
 */
export function timeline(task, now) {
  const parts = partsOf(task, now);
  const real = parts.reduce((sum, { waitMs, callMs }) => sum + waitMs + callMs, 0);
  let at = 0;
  const bars = parts.map((part) => {
    const others = real - part.waitMs;
    const isCut = part.waitMs > Math.max(1000, others * CUT_ABOVE) && others > 0;
    const waitFrom = at;
    const callFrom = waitFrom + (isCut ? others * CUT_TO : part.waitMs);
    at = callFrom + part.callMs;
    return { ...part, waitFrom, callFrom, isCut };
  });
  return { totalMs: Math.max(at, 1), bars };
}

/**
 * @param {TaskRecord} task
 * @param {number} now
 */
function partsOf({ created_at, run_at, status, history, completed_at }, now) {
  let at = Math.max(created_at, run_at === null ? 0 : Date.parse(run_at) / 1000);
  const parts = history.map(({ attempt, started_at, duration_ms, response_status, error_code }) => {
    const waitMs = Math.max(0, Math.round((started_at - at) * 1000));
    at = Math.max(at, started_at + duration_ms / 1000);
    return { attempt, waitMs, callMs: duration_ms, status: response_status, error: error_code, ...ENDED };
  });
  const isOver = completed_at !== null || (status !== 'queued' && status !== 'running');
  if (isOver) return parts;
  const goneMs = Math.max(0, Math.round((now - at) * 1000));
  // A synchronous task runs also while it waits for its next attempt; only the first is surely under way.
  const isCalling = status === 'running' && history.length === 0;
  const [waitMs, callMs] = isCalling ? [0, goneMs] : [goneMs, 0];
  return [...parts, { attempt: history.length + 1, waitMs, callMs, status: null, error: null, isOpen: true, isCalling }];
}
