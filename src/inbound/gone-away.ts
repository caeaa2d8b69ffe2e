import type { FastifyReply } from 'fastify';

/** Gives a signal that aborts when the caller closes the connection before its answer was sent, always the same one. */
export function goneAway({ raw }: Pick<FastifyReply, 'raw'>): () => AbortSignal {
  let gone: AbortController | undefined;
  const watch = (): AbortController => {
    const controller = new AbortController();
    const look = (): void => {
      if (!raw.writableFinished) controller.abort();
    };
    if (raw.closed) look();
    else raw.once('close', look);
    return controller;
  };
  return () => (gone ??= watch()).signal;
}
