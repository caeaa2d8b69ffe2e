import type { FastifyReply, FastifyRequest } from 'fastify';

/** Calls back once the answer was sent or its connection is gone: a response that waits behind another one never closes by itself. */
export function whenOver({ raw: { socket } }: FastifyRequest, { raw: response }: FastifyReply, action: () => void): void {
  const over = (): void => {
    response.off('close', over);
    socket.off('close', over);
    action();
  };
  response.once('close', over);
  socket.once('close', over);
  if (response.closed || socket.destroyed) over();
}
