import type { Clock } from '../../common/clock.js';
import type { ClusterBus } from './cluster.bus.js';

/** Who missed a message looks this much later. */
const LOOK_EVERY_MS = 10_000;

/** The news that something all replicas share has changed: sent as a message, which may be lost, so it is also given now and then. */
export class SharedChanges {
  private readonly stopped = new AbortController();

  constructor(
    private readonly topic: string,
    private readonly bus: ClusterBus,
    private readonly clock: Clock,
  ) {}

  /** Tells the other replicas. */
  tell(): void {
    this.bus.send(this.topic, null, 'changed');
  }

  /** Calls back whenever another replica may have changed something. */
  onChange(listener: () => void): void {
    this.bus.on(this.topic, listener);
    this.bus.onReconnect(listener);
    void this.lookNowAndThen(listener);
  }

  stop(): void {
    this.stopped.abort();
  }

  private async lookNowAndThen(listener: () => void): Promise<void> {
    while (await this.clock.sleep(LOOK_EVERY_MS, this.stopped.signal)) listener();
  }
}
