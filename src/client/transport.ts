import { Deadline, pause, type Limits } from './deadline.js';
import { failedReply } from './failed.reply.js';
import { jsonText } from './json.text.js';
import { OrchestratorError } from './orchestrator.error.js';
import { readReply } from './reply.js';

/** How a client reaches its orchestrator. */
export interface ClientOptions {
  /** Where it is; http://localhost:8001 unless said. A path is kept, for a proxy that puts one before. */
  readonly url?: string | undefined;
  /** An API key or a JWT, sent as a Bearer token. */
  readonly key?: string | undefined;
  /** How long a request may take that says nothing else; 60 seconds unless said. */
  readonly timeoutMs?: number | undefined;
  /** How often a request that lost its connection is sent again, where that is safe; 2 unless said. */
  readonly repeats?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A request, as the client makes it. */
export interface Call extends Limits {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base path `/orchestrator`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** May it be sent again when its connection was lost, and nobody knows whether it arrived? */
  readonly isRepeatable?: boolean | undefined;
}

const DEFAULT_URL = 'http://localhost:8001';
const DEFAULT_TIMEOUT_MS = 60_000;
const FIRST_PAUSE_MS = 100;

/** Requests to one orchestrator: the only caller of `fetch`. */
export class Transport {
  readonly url: string;
  readonly timeoutMs: number;
  private readonly repeats: number;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly fetch: typeof globalThis.fetch;

  /** @throws TypeError for a URL or a key that no request can carry */
  constructor(options: ClientOptions) {
    this.url = baseUrl(options.url ?? DEFAULT_URL);
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.repeats = options.repeats ?? 2;
    this.headers = { accept: 'application/json', ...bearer(options.key), ...options.headers };
    // Browsers refuse a fetch that is called as a method of another object.
    this.fetch = options.fetch ?? ((...request) => fetch(...request));
  }

  /** The JSON of the answer. @throws OrchestratorError when it is refused or none comes; the signal's reason when it is aborted */
  async json<T>(call: Call): Promise<T> {
    const deadline = new Deadline({ signal: call.signal, timeoutMs: call.timeoutMs ?? this.timeoutMs });
    try {
      return (await this.attempt(call, deadline.signal)) as T;
    } finally {
      deadline.end();
    }
  }

  /** The head of a stream of events, whose body the caller reads. Sent once. @throws like `json` */
  async open(call: Call, signal: AbortSignal): Promise<Response> {
    const response = await this.send(call, signal);
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (!response.ok || !isStream) throw failedReply({ ...headOf(response), text: await response.text() });
    return response;
  }

  private async attempt(call: Call, signal: AbortSignal, repeated = 0): Promise<unknown> {
    try {
      return await this.once(call, signal);
    } catch (error) {
      const waitMs = repeated < this.repeats ? pauseBeforeRepeat(error, call, repeated) : null;
      if (waitMs === null) throw error;
      await pause(waitMs, signal);
      return this.attempt(call, signal, repeated + 1);
    }
  }

  private async once(call: Call, signal: AbortSignal): Promise<unknown> {
    const response = await this.send(call, signal);
    const text = await response.text().catch((error: unknown) => this.lost(error, signal));
    const reply = { ...headOf(response), text };
    if (!response.ok) throw failedReply(reply);
    try {
      return readReply(reply);
    } catch {
      throw failedReply(reply);
    }
  }

  private async send({ method, path, body, headers }: Call, signal: AbortSignal): Promise<Response> {
    const content = body === undefined ? {} : { body: jsonText(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    // A key must not follow a redirect to another host; the orchestrator gives none.
    const init = { method, ...content, headers: { ...this.headers, ...type, ...headers }, redirect: 'error', signal } as const;
    return this.fetch(`${this.url}/orchestrator${path}`, init).catch((error: unknown) => this.lost(error, signal));
  }

  /** What an exchange has ended with, in our words. @throws always */
  lost(error: unknown, signal: AbortSignal): never {
    if (signal.aborted) throw signal.reason;
    if (error instanceof OrchestratorError) throw error;
    const { code = '', message } = causeOf(error);
    const mayHaveArrived = !NEVER_SENT.has(code);
    const text = code === 'ECONNREFUSED' ? `Nothing listens at ${this.url}` : `No answer from ${this.url}: ${code || message}`;
    throw new OrchestratorError(text, { code: 'UNREACHABLE', mayHaveArrived, cause: error });
  }
}

const headOf = ({ status, headers }: Response) => ({ status, headers });

/**
 * Milliseconds before the next try; null when there must be none. Only a lost connection is repeated here: what the
 * orchestrator refuses is the caller's to decide. Whoever repeats may find the first request still running.
 */
function pauseBeforeRepeat(error: unknown, { isRepeatable = false }: Call, repeated: number): number | null {
  if (!(error instanceof OrchestratorError) || !isRepeatable) return null;
  if (error.code === 'UNREACHABLE') return FIRST_PAUSE_MS * 4 ** repeated;
  if (repeated === 0 || error.code !== 'CONFLICT' || error.retryAfter === null) return null;
  return error.retryAfter * 1000;
}

/** What came before any connection stood: no byte of the request left. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** `fetch` wraps what really happened; browsers do not tell. */
function causeOf(error: unknown): { readonly code?: string; readonly message: string } {
  const { cause } = error as { cause?: unknown };
  const { code, message = 'the connection was lost' } = (cause ?? error) as { code?: string; message?: string };
  return code === undefined ? { message } : { code, message };
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isGood = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!isGood) throw new TypeError(`The URL of an orchestrator looks like ${DEFAULT_URL}`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function bearer(key: string | undefined): Record<string, string> {
  if (key === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError('A key is of visible ASCII characters, without spaces');
  return { authorization: `Bearer ${key}` };
}
