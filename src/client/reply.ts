/** An answer as it came. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON text, with the numbers that JavaScript cannot keep. */
  readonly text: string;
}

const replies = new WeakMap<object, Reply>();

/** The answer that a value of the client was read from: its text, its status, its headers; undefined for any other value. */
export const replyOf = (value: object): Reply | undefined => replies.get(value);

/** Reads the JSON of an answer, and remembers where it came from. @throws SyntaxError when it is none */
export function readReply(reply: Reply): unknown {
  const value: unknown = JSON.parse(reply.text);
  if (typeof value === 'object' && value !== null) replies.set(value, reply);
  return value;
}
