const followers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls when a signal is aborted, at once if it is already. However many calls share a signal, it gets one listener: Node
 * takes more than ten for a leak and says so.
 * @returns what ends it
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) callback();
  const all = followers.get(signal) ?? follow(signal);
  all.add(callback);
  return () => void all.delete(callback);
}

function follow(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  followers.set(signal, all);
  const tell = (): void => all.forEach((callback) => callback());
  signal.addEventListener('abort', tell, { once: true });
  return all;
}
