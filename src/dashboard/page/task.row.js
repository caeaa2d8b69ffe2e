import { h, setAttribute, setText } from './dom.js';
import { count, duration, NONE, timeOfDay } from './format.js';

/** @typedef {import('./api.types.d.ts').Task} Task */

/** A row for a task; `updateTaskRow` fills it. */
export const makeTaskRow = () =>
  h(
    'div',
    { role: 'row', class: 'row' },
    h('span', { role: 'cell', class: 'state' }, h('i', { class: 'sign' }), h('span')),
    h('span', { role: 'cell', class: 'what' }, h('a', {}, h('b'), h('span', { class: 'path' }))),
    h('span', { role: 'cell', class: 'figure answer' }),
    h('span', { role: 'cell', class: 'figure attempts' }),
    h('span', { role: 'cell', class: 'figure took' }),
    h('span', { role: 'cell', class: 'figure when muted' }),
  );

/**
 * @param {HTMLElement} row
 * @param {Task} task
 */
export function updateTaskRow(row, task) {
  const [state, what, answer, attempts, took, when] = row.children;
  const link = what?.firstElementChild;
  if (!state || !link || !answer || !attempts || !took || !when) return;
  setAttribute(row, 'data-tone', task.status);
  setText(/** @type {Element} */ (state.lastElementChild), task.status);
  setAttribute(link, 'href', `#task/${task.id}`);
  setText(/** @type {Element} */ (link.firstElementChild), task.droplet_name);
  setText(/** @type {Element} */ (link.lastElementChild), `${task.method} ${task.path}`);
  setText(answer, answerText(task));
  setText(attempts, task.attempts === 0 ? NONE : count(task.attempts));
  setAttribute(attempts, 'data-retried', task.retry_count > 0 && task.attempts > 1);
  setText(took, duration(task.duration_ms));
  setText(when, timeOfDay(task.created_at));
}

/** @param {Task} task */
function answerText({ response_status, error }) {
  if (response_status !== null) return String(response_status);
  return error ? (SHORT[error.code] ?? error.code) : NONE;
}

/** @type {Record<string, string>} */
const SHORT = {
  DROPLET_UNREACHABLE: 'no answer',
  TIMEOUT: 'too late',
  RESPONSE_TOO_LARGE: 'too large',
  CANCELLED: NONE,
  INTERRUPTED: 'crashed',
};
