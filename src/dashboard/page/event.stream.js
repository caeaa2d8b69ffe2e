import { ApiError } from './api.js';
import { backoffMs } from './backoff.js';
import { EventParser } from './event.parser.js';

/** The server says something every 15 s; a stream that is silent for longer than this is dead. */
const SILENCE_MS = 40_000;

/**
 * @typedef {import('./event.parser.js').ServerEvent} ServerEvent
 * @typedef {'connecting' | 'live' | 'broken' | 'paused' | 'denied'} StreamState
 * @typedef {object} StreamParts
 * @property {(lastEventId: string, signal: AbortSignal) => Promise<Response>} open
 * @property {() => void} onOpen what happened in between may be lost
 * @property {(events: ServerEvent[]) => void} onEvents
 * @property {(state: StreamState) => void} onState
 */

/** Follows server-sent events by fetch, which can show a key; EventSource cannot. Comes back by itself when it breaks. */
export class EventStream {
  #lastEventId = '';
  #failures = 0;
  /** @type {AbortController | null} */
  #run = null;

  /** @param {StreamParts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** Begins anew, whatever runs; goes on after the last event that came. */
  start() {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#failures = 0;
    void this.#follow(this.#run.signal);
  }

  /** @param {StreamState} state */
  stop(state = 'paused') {
    this.#run?.abort();
    this.#run = null;
    this.parts.onState(state);
  }

  /** @param {AbortSignal} ended */
  async #follow(ended) {
    const isOver = () => ended.aborted;
    while (!isOver()) {
      this.parts.onState(this.#failures === 0 ? 'connecting' : 'broken');
      const isDenied = await this.#read(ended).catch(
        (/** @type {unknown} */ error) => error instanceof ApiError && error.isDenied,
      );
      if (isOver()) return;
      if (isDenied === true) return this.stop('denied');
      this.#failures++;
      this.parts.onState('broken');
      await pause(backoffMs(this.#failures), ended);
    }
  }

  /** @param {AbortSignal} ended */
  async #read(ended) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const { body } = await this.parts.open(this.#lastEventId, AbortSignal.any([ended, silence.signal]));
      if (!body) return;
      this.parts.onState('live');
      this.parts.onOpen();
      const parser = new EventParser();
      // Not `for await`: Safari's streams cannot be walked through.
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        this.#failures = 0;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        this.#take(parser.push(piece.value));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {ServerEvent[]} events */
  #take(events) {
    const last = events.at(-1);
    if (!last) return;
    if (last.id) this.#lastEventId = last.id;
    this.parts.onEvents(events);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} ended
 * @returns {Promise<void>}
 */
const pause = (ms, ended) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ended.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
