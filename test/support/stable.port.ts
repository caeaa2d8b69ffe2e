import net from 'node:net';

const FIRST = 10_000;
const LAST = 30_000;

/**
 * A port that nobody listens on and that stays free while its server is away: it lies below the range from which systems take
 * the ports of outgoing connections, so that no client that knocks in between can sit on it.
 */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isFree) await new Promise<void>((resolve) => void server.close(() => resolve()));
  return isFree;
}
