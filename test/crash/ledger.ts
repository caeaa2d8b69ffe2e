/** What the checker found, by the ids of the tasks or the keys; all of it must be empty. */
export interface Findings {
  /** Acknowledged, and not there any more. */
  readonly lost: string[];
  /** Acknowledged, and not final. */
  readonly stuck: string[];
  /** Acknowledged, final, and no success: every droplet call of these tests succeeds in the end. */
  readonly failed: string[];
  /** Acknowledged, and its droplet never saw it. */
  readonly uncalled: string[];
  /** Idempotency keys that stand for more than one task. */
  readonly doubled: string[];
}

/** What the clients of an orchestrator were told, and what its droplet saw: the other side's books, which no crash touches. */
export class Ledger {
  /** Idempotency key → the id in the first 202. */
  readonly acknowledged = new Map<string, string>();
  /** How often the droplet was called, by `X-Task-Id`. */
  readonly calls = new Map<string, number>();
  /** Keys of submissions that got no answer; their clients will ask again. */
  readonly unanswered: string[] = [];
  private readonly doubled = new Set<string>();
  private readonly keys: string[] = [];

  /** A key to repeat; `chance` in [0, 1). */
  earlierKey(chance: number): string | undefined {
    return this.keys[Math.floor(chance * this.keys.length)];
  }

  /** A 202 came. */
  answered(key: string, id: string): void {
    const before = this.acknowledged.get(key);
    if (before !== undefined && before !== id) this.doubled.add(key);
    if (before !== undefined) return;
    this.acknowledged.set(key, id);
    this.keys.push(key);
  }

  /** The droplet is called for a task; tells how often now. */
  called(id: string): number {
    const calls = (this.calls.get(id) ?? 0) + 1;
    this.calls.set(id, calls);
    return calls;
  }

  /** Compares the books. @param tasks all that the orchestrator lists, each with its key under `meta.key` */
  check(tasks: readonly any[]): Findings {
    const byId = new Map(tasks.map((task) => [task.id, task]));
    const ids = [...this.acknowledged.values()];
    const found = ids.filter((id) => byId.has(id));
    const isFinal = (id: string): boolean => !['queued', 'running'].includes(byId.get(id).status);
    return {
      lost: ids.filter((id) => !byId.has(id)),
      stuck: found.filter((id) => !isFinal(id)),
      failed: found.filter((id) => isFinal(id) && byId.get(id).status !== 'success'),
      uncalled: ids.filter((id) => !this.calls.has(id)),
      doubled: [...this.doubled, ...repeated(tasks.map((task) => String(task.meta.key)))],
    };
  }
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}
