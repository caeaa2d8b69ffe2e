import { ApiError, get, request } from './api.js';
import { backoffMs } from './backoff.js';
import { byId, setAttribute, setText } from './dom.js';
import { EventStream } from './event.stream.js';
import { count, plural } from './format.js';
import { oncePerFrame } from './frame.js';
import { TaskBuffer } from './task.buffer.js';
import { matches, parseFilter, queryOf } from './task.filter.js';
import { makeTaskRow, updateTaskRow } from './task.row.js';
import { VirtualList } from './virtual.list.js';

/** @typedef {import('./api.types.d.ts').Task} Task */

const KEPT = 500;
const ASKED_FOR = 200;
const TYPING_MS = 250;
/** Often enough to look alive, seldom enough to read. */
const DRAW_EVERY_MS = 200;

/** The live list of tasks. */
export class TasksView {
  #buffer = new TaskBuffer(KEPT);
  #filter = parseFilter('');
  #isHeldByButton = false;
  #isUnderPointer = false;
  #asked = 0;
  #trouble = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again = undefined;

  /** @param {{ onTasks: (tasks: readonly Task[]) => void, onState: (state: import('./event.stream.js').StreamState) => void }} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    this.field = byId('tasks-filter', HTMLInputElement);
    this.status = byId('tasks-status', HTMLSelectElement);
    this.holdButton = byId('tasks-hold', HTMLButtonElement);
    this.fresh = byId('tasks-fresh', HTMLButtonElement);
    this.list = new VirtualList(byId('tasks-rows', HTMLElement), {
      ...{ keyOf: (/** @type {Task} */ { id }) => id, make: makeTaskRow, update: updateTaskRow },
    });
    this.draw = oncePerFrame(() => this.#draw(), DRAW_EVERY_MS);
    this.stream = new EventStream({
      open: (lastEventId, signal) => this.#open(lastEventId, signal),
      onOpen: () => void this.#refill(),
      onEvents: (events) => this.#take(events),
      onState: listeners.onState,
    });
    this.#listen();
  }

  start() {
    this.stream.start();
  }

  stop() {
    this.#asked++;
    clearTimeout(this.#again);
    this.stream.stop();
  }

  /** @param {string} text */
  filterBy(text) {
    this.field.value = text;
    this.#applyFilter();
  }

  toggleHold() {
    this.#isHeldByButton = !this.#isHeldByButton;
    this.#hold();
  }

  #listen() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    this.field.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#applyFilter(), TYPING_MS);
    });
    this.status.addEventListener('change', () => this.#applyFilter());
    this.holdButton.addEventListener('click', () => this.toggleHold());
    this.fresh.addEventListener('click', () => this.#showFresh());
    const { host } = this.list;
    host.addEventListener('pointerenter', ({ pointerType }) => this.#pointer(pointerType === 'mouse'));
    host.addEventListener('pointerleave', () => this.#pointer(false));
    host.addEventListener('scroll', () => this.#hold(), { passive: true });
    for (const name of ['focusin', 'focusout']) host.addEventListener(name, () => queueMicrotask(() => this.#hold()));
  }

  /** @param {boolean} isThere */
  #pointer(isThere) {
    this.#isUnderPointer = isThere;
    this.#hold();
  }

  /** The list stands still while somebody reads, points or walks in it; an empty one has nothing to keep in its place. */
  #hold() {
    const isUsed = this.#isUnderPointer || !this.list.isAtTop || this.list.host.contains(document.activeElement);
    if (this.#isHeldByButton || (isUsed && !this.#buffer.isEmpty)) this.#buffer.hold();
    else if (this.#buffer.isHeld) this.#buffer.release();
    setAttribute(this.holdButton, 'aria-pressed', String(this.#isHeldByButton));
    setText(this.holdButton, this.#isHeldByButton ? 'Go on' : 'Hold');
    this.draw();
  }

  #showFresh() {
    this.#isHeldByButton = false;
    this.list.host.scrollTop = 0;
    this.#buffer.release();
    this.#hold();
  }

  #applyFilter() {
    this.#filter = parseFilter(this.field.value, this.status.value);
    const filter = this.#filter;
    this.#buffer.wanted = (task) => matches(task, filter);
    this.list.host.scrollTop = 0;
    this.stream.start();
  }

  /**
   * @param {string} lastEventId
   * @param {AbortSignal} signal
   */
  #open(lastEventId, signal) {
    const headers = { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) };
    return request(`tasks/events?${queryOf(this.#filter, { withStatus: false })}`, { headers, signal });
  }

  /**
   * What happened while nobody listened is in the list. Only the newest that was asked for counts.
   * @param {number} failures in a row
   */
  async #refill(failures = 0) {
    clearTimeout(this.#again);
    const asked = ++this.#asked;
    const filter = this.#filter;
    const query = queryOf(filter, { withStatus: true });
    query.set('limit', String(ASKED_FOR));
    this.#buffer.beginFill();
    try {
      const { tasks } = /** @type {import('./api.types.d.ts').TaskPage} */ (await get(`tasks?${query}`));
      if (asked !== this.#asked) return;
      this.#buffer.fill(tasks.filter((task) => matches(task, filter)));
      this.showTrouble('');
    } catch (error) {
      if (asked === this.#asked) this.#failFill(error, failures + 1);
    }
  }

  /**
   * @param {unknown} error
   * @param {number} failures in a row
   */
  #failFill(error, failures) {
    this.#buffer.abandonFill();
    this.showTrouble(error instanceof ApiError ? error.message : String(error));
    if (error instanceof ApiError && error.isDenied) return;
    this.#again = setTimeout(() => void this.#refill(failures), backoffMs(failures));
  }

  /** @param {readonly import('./event.parser.js').ServerEvent[]} events */
  #take(events) {
    const tasks = events.filter(({ event }) => event === 'task').map(({ data }) => /** @type {Task} */ (JSON.parse(data)));
    this.#hold();
    this.#buffer.apply(tasks);
    this.listeners.onTasks(tasks);
  }

  /** @param {string} text why the list is not what it should be; empty when it is */
  showTrouble(text) {
    this.#trouble = text;
    this.draw();
  }

  #draw() {
    const { tasks, waiting } = this.#buffer;
    this.list.show(tasks);
    setText(byId('tasks-count', HTMLElement), tasks.length >= KEPT ? `newest ${count(KEPT)}` : count(tasks.length));
    this.fresh.hidden = waiting === 0;
    setText(this.fresh, `${waiting >= KEPT ? `${KEPT}+` : waiting} new ↑`);
    this.fresh.setAttribute('aria-label', `Show ${plural(waiting, 'new task')}`);
    this.#drawNote(tasks.length === 0);
  }

  /** @param {boolean} isEmpty */
  #drawNote(isEmpty) {
    const note = byId('tasks-empty', HTMLElement);
    note.hidden = !isEmpty && this.#trouble === '';
    note.classList.toggle('over', !isEmpty);
    if (!isEmpty) return setText(note, `The list may be incomplete: ${this.#trouble}`);
    const isFiltered = this.field.value.trim() !== '' || this.status.value !== '';
    setText(note, this.#trouble || (isFiltered ? 'No task fits this filter.' : 'No tasks yet. They appear here as they come.'));
  }
}
