// A client of several replicas: it submits asynchronous tasks to them in turn, and knows how to repeat itself.
const ACCEPT_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 3000;
const REST_MS = 50;

export class Client {
  /** The ids of the tasks that were acknowledged. */
  accepted = new Set();
  /** Tasks that were submitted again, because the replica that was asked first gave no answer. */
  repeated = 0;

  constructor(replicas) {
    this.replicas = replicas;
  }

  /** Submits a task to the nth replica in turn; to the next one with the same key if that is gone. */
  async submit(index) {
    const end = performance.now() + ACCEPT_WITHIN_MS;
    for (let turn = index; performance.now() < end; turn++) {
      const receipt = await this.ask(this.replicas[turn % this.replicas.length], `order-${index}`);
      if (receipt) return void this.accepted.add(receipt.task_id);
      if (turn === index) this.repeated++;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** Null when there was no receipt: then nobody knows whether the task was accepted, and the key makes sure that it is one. */
  async ask({ url }, key) {
    const body = JSON.stringify({ droplet_name: 'counter', method: 'POST', path: '/orders', payload: { key } });
    const headers = { 'content-type': 'application/json', prefer: 'respond-async', 'idempotency-key': key };
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(`${url}/orchestrator/tasks`, { method: 'POST', headers, body, signal }).catch(() => null);
    return answer?.status === 202 ? answer.json() : null;
  }

  /** The records of all tasks, as the first replica has them: a thousand at the most. */
  async records() {
    const answer = await fetch(`${this.replicas[0].url}/orchestrator/tasks?limit=1000`);
    return (await answer.json()).tasks;
  }
}
