/**
 * @typedef {import('./api.types.d.ts').Droplet} Droplet
 * @typedef {'trouble' | 'name' | 'busy' | 'slow'} DropletOrder
 */

/** @param {Droplet} droplet worse ones have a higher rank */
function trouble({ health: { state, breaker } }) {
  if (breaker === 'paused') return 4;
  if (state === 'down' || breaker === 'open') return 5;
  if (state === 'degraded' || breaker === 'half-open') return 3;
  return state === 'up' ? 1 : 0;
}

/** @type {Record<DropletOrder, (droplet: Droplet) => number>} */
const RANKS = {
  trouble,
  name: () => 0,
  busy: ({ health }) => health.in_flight,
  slow: ({ health }) => health.p95_ms ?? -1,
};

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/**
 * The droplets that fit some words, in an order that does not flicker: equals stand by name.
 * @param {readonly Droplet[]} droplets
 * @param {string} text
 * @param {DropletOrder} order
 */
export function arranged(droplets, text, order) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = RANKS[order];
  return droplets
    .filter(({ name, endpoint, health }) => {
      const searched = `${name} ${endpoint} ${health.state} ${health.breaker}`.toLowerCase();
      return words.every((word) => searched.includes(word));
    })
    .map((droplet) => ({ droplet, rank: rank(droplet) }))
    .sort((a, b) => b.rank - a.rank || byName.compare(a.droplet.name, b.droplet.name))
    .map(({ droplet }) => droplet);
}

/** @param {readonly Droplet[]} droplets */
export function stateCounts(droplets) {
  const counts = { up: 0, degraded: 0, down: 0, paused: 0, unknown: 0 };
  for (const { health } of droplets) counts[health.breaker === 'paused' ? 'paused' : health.state]++;
  return counts;
}
