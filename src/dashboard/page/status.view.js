import { get } from './api.js';
import { byId, setAttribute, setText } from './dom.js';
import { Poller } from './poller.js';

/** @typedef {import('./api.types.d.ts').Health} Health */

const EVERY_MS = 10_000;

/** @type {Record<string, string>} */
const TONES = { active: 'success', inactive: 'timeout', error: 'error' };

/** @type {Record<import('./event.stream.js').StreamState, { text: string, tone: string }>} */
const STREAM = {
  connecting: { text: 'connecting', tone: 'none' },
  live: { text: 'live', tone: 'success' },
  broken: { text: 'reconnecting', tone: 'timeout' },
  paused: { text: 'paused', tone: 'none' },
  denied: { text: 'no access', tone: 'error' },
};

/** How the service says it is, and whether what is shown is live. */
export class StatusView {
  constructor() {
    this.poller = new Poller(
      () => this.#ask(),
      () => EVERY_MS,
    );
  }

  /** @param {import('./event.stream.js').StreamState} state */
  showStream(state) {
    const { text, tone } = STREAM[state];
    pill('stream-state', text, tone);
  }

  async #ask() {
    try {
      this.#show(await get('health'));
    } catch {
      pill('service-state', 'no answer', 'error');
      this.#warn('The orchestrator does not answer. What is shown is the last that was known.');
    }
  }

  /** @param {Health} health */
  #show({ name, version, status, dependencies: { registry, storage } }) {
    setText(byId('service', HTMLElement), name);
    setText(byId('version', HTMLElement), version);
    document.title = `${status === 'active' ? '' : '⚠ '}${name}`;
    pill('service-state', status, TONES[status] ?? 'none');
    const troubles = [
      storage.status === 'healthy' ? '' : 'The store cannot be written: tasks are refused.',
      registry.status === 'healthy'
        ? ''
        : `The Registry is ${registry.status}${registry.error ? `: ${registry.error}` : ''}; the last list of droplets is used.`,
      status === 'inactive' ? 'This process is shutting down.' : '',
    ];
    this.#warn(troubles.filter(Boolean).join(' '));
  }

  /** @param {string} text empty for none */
  #warn(text) {
    const banner = byId('banner', HTMLElement);
    banner.hidden = text === '';
    setText(banner, text);
  }
}

/**
 * @param {string} id
 * @param {string} text
 * @param {string} tone
 */
function pill(id, text, tone) {
  const element = byId(id, HTMLElement);
  setText(element, text);
  setAttribute(element, 'data-tone', tone);
}
