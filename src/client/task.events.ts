import type { TaskEvent } from './api.types.js';
import { Deadline, pause } from './deadline.js';
import { OrchestratorError } from './orchestrator.error.js';
import { readReply } from './reply.js';
import { EventParser, type ServerSentEvent } from './server.sent.events.js';
import { queryText, type TaskFilter } from './task.filter.js';
import type { Transport } from './transport.js';

/** A change of a task. */
export interface TaskChange {
  /** Where the stream stands: give it as `lastEventId` to go on from here. */
  readonly id: string;
  /** The task as it is since, without what was answered. */
  readonly task: TaskEvent;
}

export interface EventOptions {
  readonly signal?: AbortSignal | undefined;
  /** The `id` of the last change that the caller has: what came since is told first, if the server still has it. */
  readonly lastEventId?: string | undefined;
  /** Called each time that the stream is open, so that what may have been missed can be read from the list. */
  readonly onOpen?: (() => void) | undefined;
}

/** The server writes something every 15 seconds; a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The changes of tasks as they happen, until the signal is aborted: a stream that ends is opened again where it stood.
 * @throws OrchestratorError when it cannot be opened at first, or is refused later; the signal's reason when it is aborted
 */
export async function* taskEvents(transport: Transport, filter: TaskFilter, options: EventOptions): AsyncGenerator<TaskChange> {
  const place = { last: options.lastEventId, failures: 0, wasOpen: false };
  const onOpen = (): void => {
    place.wasOpen = true;
    options.onOpen?.();
  };
  for (;;) {
    try {
      const { signal } = options;
      for await (const change of oneStream(transport, filter, { signal, lastEventId: place.last, onOpen })) {
        Object.assign(place, { last: change.id, failures: 0 });
        yield change;
      }
    } catch (error) {
      if (!place.wasOpen || !isPassing(error)) throw error;
    }
    await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** place.failures++), options.signal);
  }
}

/** One connection, until it ends. */
async function* oneStream(transport: Transport, filter: TaskFilter, options: EventOptions): AsyncGenerator<TaskChange> {
  const { signal, lastEventId, onOpen } = options;
  const deadline = new Deadline({ signal, timeoutMs: transport.timeoutMs });
  const last = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const headers = { accept: 'text/event-stream', ...last };
  try {
    const response = await transport.open({ method: 'GET', path: `/tasks/events${queryText(filter)}`, headers }, deadline.signal);
    onOpen?.();
    const parser = new EventParser();
    for await (const piece of textOf(response, () => deadline.restart(SILENCE_MS))) {
      for (const event of parser.push(piece)) if (event.event === 'task') yield changeOf(event, response);
    }
  } catch (error) {
    transport.lost(error, deadline.signal);
  } finally {
    deadline.end();
  }
}

function changeOf({ id, data }: ServerSentEvent, { status, headers }: Response): TaskChange {
  return { id, task: readReply({ status, headers, text: data }) as TaskEvent };
}

/** The text of a body in pieces. By its reader: not every browser can iterate a stream. */
async function* textOf({ body }: Response, onPiece: () => void): AsyncGenerator<string> {
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  const decoder = new TextDecoder();
  try {
    for (;;) {
      onPiece();
      const piece = await reader?.read();
      if (!piece || piece.done) return;
      yield decoder.decode(piece.value, { stream: true });
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
}

/** Is it worth coming back? Not when the server says that it will not have us, or the caller has had enough. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof OrchestratorError)) return false;
  return error.status === null || error.status >= 500 || error.status === 429;
}
