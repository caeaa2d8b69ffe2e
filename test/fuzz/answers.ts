import { expectError } from '../support/udc.error.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const ID = /^[A-Za-z0-9._-]{1,128}$/;
/** What only figures, events and pages are answered as; an error never is. */
const isText = (type: string): boolean =>
  /^(text\/(plain|event-stream|html|javascript)|image\/svg|application\/openmetrics-text)/.test(type);

/** Throws unless an answer is one that the contract knows, whatever was asked. @param isHead there is no body to look at */
export function checkAnswer({ status, headers, text }: Answer, isHead = false): void {
  // A droplet that the fuzzers have paused is no fault of the server.
  const isHeld = status === 503 && text.includes('"CIRCUIT_OPEN"');
  if ((status >= 500 && !isHeld) || status < 200) throw new Error(`answered ${status}: ${text.slice(0, 500)}`);
  const type = headers['content-type'] ?? '';
  if (!ID.test(headers['x-request-id'] ?? '')) throw new Error(`no request id: ${JSON.stringify(headers)}`);
  if (isHead || (status < 400 && isText(type))) return;
  const json: any = JSON.parse(text);
  if (!type.startsWith('application/json')) throw new Error(`${status} is ${type}`);
  if (status >= 400) expectError({ status, headers, json }, status, String(json?.error?.code));
  else if (typeof json !== 'object' || json === null) throw new Error(`no object: ${text.slice(0, 500)}`);
}

/** Reads every whole answer off the front of what a connection gave; `rest` is what is left. */
export function readAnswers(received: Buffer, mayLackBodies: boolean): { answers: Answer[]; rest: string } {
  const answers: Answer[] = [];
  let rest = received.toString('latin1');
  for (;;) {
    const read = readOne(rest, mayLackBodies);
    if (read === null) return { answers, rest };
    rest = read.rest;
    if (read.answer) answers.push(read.answer);
  }
}

/** `answer` is null for an interim one. */
function readOne(text: string, mayLackBodies: boolean): { answer: Answer | null; rest: string } | null {
  const split = text.indexOf('\r\n\r\n');
  if (split < 0) return null;
  const [start = '', ...lines] = text.slice(0, split).split('\r\n');
  const [, digits] = /^HTTP\/1\.1 (\d{3}) /.exec(start) ?? [];
  if (digits === undefined) throw new Error(`not HTTP: ${text.slice(0, 200)}`);
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(digits);
  const after = text.slice(split + 4);
  if (status < 200) return { answer: null, rest: after };
  const length = Number(headers['content-length'] ?? 0);
  const isBare = mayLackBodies && (after === '' || after.startsWith('HTTP/1.1 '));
  if (isBare) return { answer: null, rest: after };
  if (after.length < length) return null;
  const body = Buffer.from(after.slice(0, length), 'latin1').toString('utf8');
  return { answer: { status, headers, text: body }, rest: after.slice(length) };
}
