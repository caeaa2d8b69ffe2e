import type { Dispatcher } from 'undici';
import { AddressRefusedError } from './address.guard.js';
import { NotSentError } from './connector.js';
import type { Outcome } from './outcome.js';
import type { PausableReader, ResponseMemory } from './response.memory.js';

type Controller = Dispatcher.DispatchController;

/** Why a call was taken back before it ended. */
export type CutReason = 'timed-out' | 'aborted';

/** What goes out, exactly so. */
export interface WireRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Bytes of answer that are read at the most. */
  readonly responseLimit: number;
  /** Private and loopback addresses are refused too. */
  readonly publicOnly: boolean;
  /** What bounds the bytes of all answers that are being read. */
  readonly memory: ResponseMemory;
}

/**
 * One request and its answer, as undici reports them; `outcome` never rejects. It knows whether the request has left,
 * reads the body up to the limit, and can be cut off at any moment, also while it still waits for a connection.
 */
export class Exchange implements Dispatcher.DispatchHandler, PausableReader {
  readonly outcome: Promise<Outcome>;
  private settle!: (outcome: Outcome) => void;
  private controller: Controller | undefined;
  private isOver = false;
  private status = 0;
  private headers: Record<string, string | string[] | undefined> = {};
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private held: { readonly isHeld?: true } = {};

  constructor(readonly request: WireRequest) {
    this.outcome = new Promise((resolve) => (this.settle = resolve));
  }

  /** Hands the request to the dispatcher, unless it was taken back already. */
  start(dispatcher: Dispatcher): void {
    if (this.isOver) return;
    const { origin, path, headers, body } = this.request;
    dispatcher.dispatch({ origin, path, method: this.request.method, headers, body }, this);
  }

  /** Ends the call now: its socket is closed, its outcome is the reason. */
  cut(reason: CutReason, message: string): void {
    this.finish({ kind: reason, sent: this.controller !== undefined, ...this.held, message });
    this.controller?.abort(new Error(message));
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.isOver) controller.abort(new Error('The call was taken back before it was sent'));
  }

  onResponseStart(controller: Controller, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    if (Number(headers['content-length']) > this.request.responseLimit) this.refuseSize(controller);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    // What still comes of a call that is over takes no memory, and would never give it back.
    if (this.isOver) return;
    this.size += chunk.length;
    if (this.size > this.request.responseLimit) return this.refuseSize(controller);
    this.chunks.push(chunk);
    this.request.memory.add(this, chunk.length);
  }

  pause(): void {
    this.held = { isHeld: true };
    this.controller?.pause();
  }

  /** Not at once: the reader whose end makes room is still within undici's parser, and that runs one answer at a time. */
  resume(): void {
    queueMicrotask(() => {
      if (!this.isOver) this.controller?.resume();
    });
  }

  onResponseEnd(): void {
    this.finish({ kind: 'answered', status: this.status, headers: this.headers, body: Buffer.concat(this.chunks) });
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.finish({ ...failureOf(error), ...this.held });
  }

  private refuseSize(controller: Controller): void {
    const message = `The answer is larger than ${this.request.responseLimit} bytes`;
    this.finish({ kind: 'too-large', status: this.status, message });
    controller.abort(new Error(message));
  }

  private finish(outcome: Outcome): void {
    this.isOver = true;
    this.request.memory.release(this);
    this.settle(outcome);
  }
}

/** Errors that come before a connection stands are marked by the connector; any other came after the request left. */
function failureOf(error: Error): Outcome {
  if (error instanceof AddressRefusedError) return { kind: 'address-refused', message: error.message };
  if (error instanceof NotSentError) return { kind: 'not-sent', message: error.message };
  return { kind: 'no-answer', message: `Connection broken before the answer was complete: ${error.message}` };
}
