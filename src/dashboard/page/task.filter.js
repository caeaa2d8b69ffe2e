/**
 * @typedef {import('./api.types.d.ts').Task} Task
 * @typedef {object} TaskFilter
 * @property {string} status empty for all
 * @property {string} droplet in lower case; empty for all
 * @property {readonly (readonly [string, string])[]} meta
 * @property {readonly string[]} words in lower case
 */

const TERM = /(?:(droplet):|meta\.([^\s=]+)=)?(?:"([^"]*)"?|(\S+))/gi;

/**
 * What a reader has typed: words, `droplet:NAME`, `meta.KEY=VALUE`; a value with spaces stands in quotes.
 * @param {string} text
 * @param {string} status
 * @returns {TaskFilter}
 */
export function parseFilter(text, status = '') {
  let droplet = '';
  /** @type {(readonly [string, string])[]} */
  const meta = [];
  /** @type {string[]} */
  const words = [];
  for (const [, isDroplet, key, quoted, plain = ''] of text.matchAll(TERM)) {
    const value = quoted ?? plain;
    if (isDroplet) droplet = value.toLowerCase();
    else if (key) meta.push([key, value]);
    else if (value) words.push(value.toLowerCase());
  }
  return { status, droplet, meta, words };
}

/**
 * @param {Task} task
 * @param {TaskFilter} filter
 */
export function matches(task, { status, droplet, meta, words }) {
  if (status && task.status !== status) return false;
  if (droplet && task.droplet_name.toLowerCase() !== droplet) return false;
  if (!meta.every(([key, value]) => task.meta?.[key] === value)) return false;
  if (words.length === 0) return true;
  const text = `${task.id} ${task.droplet_name} ${task.method} ${task.path} ${task.error_message ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * The part of the filter that the server knows. Words are ours alone, and a stream must tell of tasks that leave a status.
 * @param {TaskFilter} filter
 * @param {{ withStatus: boolean }} how
 */
export function queryOf({ status, droplet, meta }, { withStatus }) {
  const query = new URLSearchParams(meta.map(([key, value]) => [`meta.${key}`, value]));
  if (droplet) query.set('droplet_name', droplet);
  if (status && withStatus) query.set('status', status);
  return query;
}

/**
 * A filter's text for the tasks of one droplet.
 * @param {string} name
 */
export const filterForDroplet = (name) => (/[\s"]/.test(name) ? `droplet:"${name.replaceAll('"', '')}"` : `droplet:${name}`);
