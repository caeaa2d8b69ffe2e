import { serverClock } from './clock.js';
import { session } from './session.js';

/** The page lies one step below the API, under whatever prefix a proxy has put both. */
const ROOT = new URL('../', import.meta.url);

/** Who has not answered by then hangs. */
const ANSWER_MS = 15_000;

/** What the API refused, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** True when another key is needed; to ask again with this one is of no use. */
  get isDenied() {
    return this.status === 401 || this.status === 403;
  }
}

/** @type {() => void} */
let onKeyWanted = () => undefined;

/**
 * Who asks for a key when one is wanted.
 * @param {() => void} listener
 */
export const whenKeyIsWanted = (listener) => void (onKeyWanted = listener);

/**
 * Gives up after a while, but for a caller that brings a signal of its own.
 * @param {string} path relative to the API
 * @param {Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }} options
 * @throws {ApiError}
 */
export async function request(path, { headers = {}, ...options } = {}) {
  const { key } = session;
  const askedAt = Date.now();
  const authorization = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(new URL(path, ROOT), {
    cache: 'no-store',
    signal: AbortSignal.timeout(ANSWER_MS),
    ...options,
    headers: { ...headers, ...authorization },
  }).catch((/** @type {unknown} */ error) => {
    if (options.signal?.aborted) throw error;
    throw unanswered();
  });
  serverClock.hear(response.headers.get('date'), askedAt);
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401 && session.key === key) onKeyWanted();
  throw error;
}

/**
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export const get = async (path) => /** @type {T} */ (await contentOf(await request(path)));

/**
 * @template T
 * @param {'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<T>}
 */
export async function send(method, path, body) {
  const content = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {};
  return /** @type {T} */ (await contentOf(await request(path, { method, ...content })));
}

const unanswered = () => new ApiError(0, 'UNREACHABLE', 'The orchestrator does not answer');

/**
 * An answer may also hang after its head.
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
const contentOf = (response) =>
  response.json().catch((/** @type {unknown} */ error) => {
    throw error instanceof SyntaxError ? error : unanswered();
  });

/** @param {Response} response */
async function errorOf(response) {
  const { status } = response;
  try {
    const { error } = /** @type {{ error: { code: string, message: string } }} */ (await response.json());
    return new ApiError(status, error.code, error.message);
  } catch {
    // A proxy in between answers in its own way.
    return new ApiError(status, `HTTP_${status}`, `The answer was ${status} ${response.statusText}`);
  }
}
