import http, { type IncomingMessage } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkAnswer, readAnswers, type Answer } from './answers.js';
import type { FuzzRequest } from './fuzz.request.js';
import type { RawStream } from './raw.bytes.js';

/** A server that takes longer hangs: every task of the fuzzers ends within a second or two. */
const ANSWER_MS = 20_000;
/** How long a connection must be quiet before we take it that nothing more comes. */
const QUIET_MS = 15;
/** After which we would get no 413 to read: the server hangs up on who sends on. */
const LARGE_BODY = 60_000;

/** Sends what the fuzzers make, and looks at what comes back. */
export class FuzzClient {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  private readonly known: string[] = [];
  private turn = 0;
  requests = 0;
  connections = 0;
  /** How many answers there were by status. */
  readonly statuses: Record<number, number> = {};

  constructor(private readonly url: URL) {}

  /** Throws when the answer is none that may be. */
  async request(asked: FuzzRequest): Promise<void> {
    const answer = await this.exchange(asked, true);
    this.requests++;
    if (answer === null) return;
    this.statuses[answer.status] = (this.statuses[answer.status] ?? 0) + 1;
    checkAnswer(answer, asked.method === 'HEAD');
    const [, id] = /"task_id":"([0-9a-f-]{36})"/.exec(answer.text) ?? [];
    if (id) this.known[this.turn++ % 50] = id;
  }

  /** A request that nothing is wrong with; null when the server hung up. */
  ask(method: string, path: string, body?: object): Promise<Answer | null> {
    const headers = { 'content-type': 'application/json' };
    return this.exchange({ method, path, headers, body: body ? Buffer.from(JSON.stringify(body)) : null }, true);
  }

  /** Writes bytes; throws when what comes back is not HTTP or not ours. */
  async stream(stream: RawStream): Promise<void> {
    const received = await this.write(stream);
    this.connections++;
    const mayLackBodies = Buffer.concat(stream.pieces).includes('HEAD');
    const { answers, rest } = readAnswers(received, mayLackBodies);
    for (const answer of answers) checkAnswer(answer);
    for (const { status } of answers) this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    if (stream.ending === 'half-close' && rest !== '' && !rest.startsWith('HTTP/1.1 200'))
      throw new Error(`cut off: ${rest.slice(0, 300)}`);
  }

  /** Opens a connection that sends its request so slowly that the server must end it: 408, and closed. */
  async drip(): Promise<void> {
    const socket = net.connect(Number(this.url.port), this.url.hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const text = 'GET /health HTTP/1.1\r\nHost: test\r\nX-Slow: ';
    let sent = 0;
    const timer = setInterval(() => socket.write(text[sent++] ?? 'x'), 200);
    await closed;
    clearInterval(timer);
    const { answers } = readAnswers(Buffer.concat(chunks), false);
    if (answers.length !== 1 || answers[0]?.status !== 408) throw new Error(`a slow client got ${JSON.stringify(answers)}`);
    checkAnswer(answers[0]);
  }

  close(): void {
    this.agent.destroy();
  }

  /** Null when the server hung up on a body that is too large. */
  private exchange(asked: FuzzRequest, mayRepeat: boolean): Promise<Answer | null> {
    const path = asked.path.replaceAll('{known}', () => this.known[0] ?? 'none');
    const { method, headers, body } = asked;
    const size = body?.length ?? 0;
    return new Promise((resolve, reject) => {
      const request = http.request({
        ...{ host: this.url.hostname, port: this.url.port, agent: mayRepeat ? this.agent : false, method, path },
        headers: { ...headers, ...(body ? { 'content-length': String(size) } : {}) },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      request.once('response', (response) => void readAnswer(response).then(resolve, reject));
      request.once('error', (error: NodeJS.ErrnoException) => {
        // The server may close an idle connection just when we use it again; a fresh one it may not.
        if (request.reusedSocket && mayRepeat) return void this.exchange(asked, false).then(resolve, reject);
        const isCut = size > LARGE_BODY && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '');
        if (isCut) resolve(null);
        else reject(new Error(`${method} ${path} with a body of ${size} bytes: ${error.message}`, { cause: error }));
      });
      request.end(body ?? undefined);
    });
  }

  private async write({ pieces, pauseMs, ending }: RawStream): Promise<Buffer> {
    const socket = net.connect({ port: Number(this.url.port), host: this.url.hostname, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let last = performance.now();
    const closed = new AbortController();
    socket.on('error', () => undefined);
    socket.once('close', () => closed.abort()).once('end', () => closed.abort());
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      last = performance.now();
    });
    for (const piece of pieces) {
      if (closed.signal.aborted) break;
      socket.write(piece);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    if (ending === 'half-close') socket.end();
    const end = performance.now() + (ending === 'half-close' ? ANSWER_MS : 200);
    const isQuiet = (): boolean => ending === 'reset' && performance.now() - last > QUIET_MS;
    while (!closed.signal.aborted && !isQuiet() && performance.now() < end) await sleep(3);
    // After an end of ours, a reset would leave Node with a request that never ends, and it could not exit.
    if (ending === 'half-close') socket.destroy();
    else socket.resetAndDestroy();
    if (!closed.signal.aborted && ending === 'half-close') throw new Error(`not closed within ${ANSWER_MS} ms of our end`);
    return Buffer.concat(chunks);
  }
}

function readAnswer(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  // This one never ends.
  if (flat['content-type']?.startsWith('text/event-stream')) {
    response.destroy();
    return Promise.resolve({ status, headers: flat, text: '' });
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('end', () => resolve({ status, headers: flat, text: Buffer.concat(chunks).toString('utf8') }));
    response.once('error', reject);
  });
}
