import type { FastifyReply } from 'fastify';

/** A signal that aborts when the caller closes the connection before its answer was sent. */
export function goneAway({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
