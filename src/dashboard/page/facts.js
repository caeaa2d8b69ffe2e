import { h } from './dom.js';

/** @typedef {readonly [string, string | Node | null]} Fact */

/**
 * Names and values; what has no value is left out.
 * @param {readonly Fact[]} all
 */
export const facts = (all) =>
  h(
    'dl',
    { class: 'facts' },
    ...all.flatMap(([name, value]) => (value === null || value === '' ? [] : [h('dt', {}, name), h('dd', {}, value)])),
  );

/**
 * @param {string} text
 * @param {() => void} act
 * @param {{ isGrave?: boolean, isOff?: boolean }} how
 */
export const button = (text, act, { isGrave = false, isOff = false } = {}) =>
  h('button', { type: 'button', class: isGrave ? 'grave' : '', disabled: isOff, click: act }, text);
