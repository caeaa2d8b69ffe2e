import { byId, h } from './dom.js';
import { session } from './session.js';

/**
 * Asks whether something is really wanted.
 * @param {{ title: string, text: string, action: string, isGrave?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, action, isGrave = false }) {
  const yes = h('button', { type: 'button', class: isGrave ? 'grave' : 'primary', click: () => dialog.close('yes') }, action);
  const no = h('button', { type: 'button', click: () => dialog.close() }, 'Leave it');
  const dialog = byId('confirm', HTMLDialogElement);
  const heading = h('h2', { id: 'confirm-title' }, title);
  dialog.replaceChildren(heading, h('p', {}, text), h('div', { class: 'buttons' }, no, yes));
  return answerOf(dialog, yes).then((answer) => answer === 'yes');
}

/**
 * Asks for an API key. Resolves to whether one was given.
 * @returns {Promise<boolean>}
 */
export async function askForKey() {
  const dialog = byId('key', HTMLDialogElement);
  if (dialog.open) return false;
  const field = byId('key-field', HTMLInputElement);
  field.value = '';
  const answer = await answerOf(dialog, field);
  if (answer !== 'yes' || field.value.trim() === '') return false;
  session.keep(field.value.trim());
  field.value = '';
  return true;
}

/** What a header can carry; of anything else the browser makes no request at all. */
const SENDABLE = /^[ -~\xa0-\xff]*$/;

/** The form of the key dialog is never sent anywhere. */
export function prepareKeyDialog() {
  const dialog = byId('key', HTMLDialogElement);
  const field = byId('key-field', HTMLInputElement);
  field.addEventListener('input', () => {
    const isSendable = SENDABLE.test(field.value.trim());
    field.setCustomValidity(isSendable ? '' : 'This key holds characters that cannot be sent. Copy it once more.');
  });
  byId('key-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.close('yes');
  });
  for (const button of document.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog')?.close());
  }
}

/** @param {string} id */
export function showDialog(id) {
  const dialog = byId(id, HTMLDialogElement);
  if (!dialog.open) dialog.showModal();
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} first has the focus
 * @returns {Promise<string>} empty when it was left by Esc
 */
function answerOf(dialog, first) {
  dialog.returnValue = '';
  dialog.showModal();
  first.focus();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }));
}
