import { until } from './http.client.js';

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

/** A client of the stream of task changes: keeps what came. */
export class EventReader {
  text = '';
  hasEnded = false;
  private constructor(
    readonly status: number,
    readonly headers: Headers,
    private readonly hangUp: AbortController,
  ) {}

  /** @param url of an orchestrator @param query the filters, with their question mark */
  static async open(url: string, query = '', headers: Record<string, string> = {}): Promise<EventReader> {
    const hangUp = new AbortController();
    const response = await fetch(`${url}/orchestrator/tasks/events${query}`, { headers, signal: hangUp.signal });
    const reader = new EventReader(response.status, response.headers, hangUp);
    void reader.read(response);
    await until(() => reader.text !== '');
    return reader;
  }

  get events(): Event[] {
    const blocks = this.text.split('\n\n').slice(0, -1);
    return blocks.filter((block) => !block.startsWith(':')).map(parseEvent);
  }

  /** The statuses that were told of a task. */
  of(id: string): string[] {
    return this.events.filter(({ data }) => data.id === id).map(({ data }) => data.status);
  }

  close(): void {
    this.hangUp.abort();
  }

  private async read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) this.text += decoder.decode(chunk, { stream: true });
    } catch {
      // The test has hung up.
    }
    this.hasEnded = true;
  }
}

/** Fails for a block that is not the three lines of the contract. */
function parseEvent(block: string): Event {
  const [, id = '', event = '', data = ''] = /^id: (.+)\nevent: (.+)\ndata: (.+)$/.exec(block) ?? [];
  return { id, event, data: JSON.parse(data) };
}
