import type { Droplet } from './droplet.js';

/** A known droplet; `missingSince` (epoch ms) while the Registry's answers do not show it. */
export interface KnownDroplet extends Droplet {
  readonly missingSince: number | null;
}

/**
 * The list after a good answer of the Registry. Entries missing from an answer that is empty or has lost over half of
 * them stay, marked inactive, for `keepMs` or until they return; fewer missing ones go at once; contract §5.
 */
export function mergeAnswer(
  known: readonly KnownDroplet[],
  answer: readonly Droplet[],
  { now, keepMs }: { now: number; keepMs: number },
): KnownDroplet[] {
  const names = new Set(answer.map(({ name }) => name));
  const absent = known.filter(({ name }) => !names.has(name));
  const shown = known.filter(({ missingSince }) => missingSince === null);
  const lost = absent.filter(({ missingSince }) => missingSince === null);
  const isSuspicious = lost.length > 0 && (answer.length === 0 || lost.length > shown.length / 2);
  const kept = absent
    .filter(({ missingSince }) => missingSince !== null || isSuspicious)
    .map((droplet) => ({ ...droplet, status: 'inactive', missingSince: droplet.missingSince ?? now }))
    .filter(({ missingSince }) => now - missingSince < keepMs);
  return [...answer.map((droplet) => ({ ...droplet, missingSince: null })), ...kept];
}
