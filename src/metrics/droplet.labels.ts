/** A metric with droplets among its labels. */
interface OfDroplets {
  get(): Promise<{ values: { labels: Partial<Record<string, string | number>> }[] }>;
  remove(labels: Partial<Record<string, string | number>>): void;
}

/** Drops what a metric says of all other droplets. */
export async function keepOf(metric: OfDroplets, isKept: (droplet: string) => boolean): Promise<void> {
  const { values } = await metric.get();
  for (const { labels } of values) {
    if (isKept(String(labels.droplet))) continue;
    // The bounds of a histogram's buckets are no labels of its own.
    metric.remove(Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'le')));
  }
}
