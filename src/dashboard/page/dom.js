const SVG = 'http://www.w3.org/2000/svg';

/**
 * @typedef {string | number | Node | null | undefined} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | EventListener>} Attributes
 */

/**
 * An element. Text is only ever set as text, so whatever a droplet is called stays a name.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} attributes a function is a listener
 * @param {...Child} children
 */
export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/**
 * An element of SVG.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 */
export const svg = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter(isThere).map((child) => (typeof child === 'number' ? String(child) : child)));
  return element;
}

/**
 * @param {Child} child
 * @returns {child is string | number | Node}
 */
const isThere = (child) => child !== null && child !== undefined;

/**
 * Writes an attribute only when it changes: a write costs a style pass even if nothing does. False and null remove it.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return element.removeAttribute(name);
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * Writes a text only when it changes.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The element of the page with an id.
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} Type
 * @returns {E}
 */
export function byId(id, Type) {
  const found = document.getElementById(id);
  if (!(found instanceof Type)) throw new Error(`The page has no ${Type.name} #${id}`);
  return found;
}
