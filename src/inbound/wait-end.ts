import type { FastifyReply } from 'fastify';
import type { Lifecycle } from '../common/lifecycle.js';

/** Gives a signal that aborts when the caller closes the connection before its answer was sent, or the drain begins; always the same one. */
export function waitEnd({ raw }: Pick<FastifyReply, 'raw'>, lifecycle: Lifecycle): () => AbortSignal {
  let end: AbortController | undefined;
  const watch = (): AbortController => {
    const controller = new AbortController();
    const forget = lifecycle.onDrain(() => controller.abort());
    const closed = (): void => {
      forget();
      if (!raw.writableFinished) controller.abort();
    };
    if (raw.closed) closed();
    else raw.once('close', closed);
    return controller;
  };
  return () => (end ??= watch()).signal;
}
