import { hexOf, messagesOf, numberOf, readMessage, textOf, type Message } from './protobuf.js';
import { TestServer, reply, type Handler } from './server.js';

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The spans that it links to. */
  readonly links: readonly string[];
  readonly isError: boolean;
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** An OpenTelemetry collector over a real socket: it takes OTLP as protobuf and keeps the spans. */
export class TestCollector {
  readonly spans: CollectedSpan[] = [];

  private constructor(private readonly server: TestServer) {}

  static async start(): Promise<TestCollector> {
    const self: TestCollector = new TestCollector(await TestServer.start((...args) => self.take(...args)));
    return self;
  }

  get url(): string {
    return this.server.url;
  }

  /** What it was sent, whether or not it took it. */
  get requests(): TestServer['seen'] {
    return this.server.seen;
  }

  /** From now on it does something else than taking spans. */
  misbehave(handler: Handler): void {
    this.server.handler = handler;
  }

  /** The spans of one task. */
  ofTask(id: string): CollectedSpan[] {
    return this.spans.filter(({ attributes }) => attributes['orchestrator.task.id'] === id);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private readonly take: Handler = ({ url, headers, bytes }, response) => {
    if (url !== '/v1/traces' || headers['content-type'] !== 'application/x-protobuf') return reply(response, 404);
    this.spans.push(...spansOf(bytes));
    reply(response, 200, '', { 'content-type': 'application/x-protobuf' });
  };
}

const spansOf = (bytes: Buffer): CollectedSpan[] =>
  messagesOf(readMessage(bytes), 1).flatMap((group) => {
    const resource = Object.assign({}, ...messagesOf(group, 1).map((message) => attributesOf(message, 1))) as object;
    const spans = messagesOf(group, 2).flatMap((scope) => messagesOf(scope, 2));
    return spans.map((span) => toSpan(span, { ...resource }));
  });

function toSpan(span: Message, resource: CollectedSpan['resource']): CollectedSpan {
  return {
    ...{ traceId: hexOf(span, 1), spanId: hexOf(span, 2), traceState: textOf(span, 3), parentSpanId: hexOf(span, 4) },
    ...{ name: textOf(span, 5), kind: KINDS[numberOf(span, 6)] ?? '?', attributes: attributesOf(span, 9), resource },
    ...{ start: numberOf(span, 7) / 1e6, end: numberOf(span, 8) / 1e6 },
    links: messagesOf(span, 13).map((link) => hexOf(link, 2)),
    isError: messagesOf(span, 15).some((status) => numberOf(status, 3) === 2),
  };
}

const attributesOf = (message: Message, field: number): Record<string, unknown> =>
  Object.fromEntries(messagesOf(message, field).map((pair) => [textOf(pair, 1), valueOf(messagesOf(pair, 2)[0])]));

function valueOf(value: Message | undefined): unknown {
  if (value?.has(1)) return textOf(value, 1);
  if (value?.has(2)) return numberOf(value, 2) === 1;
  return value?.has(3) ? numberOf(value, 3) : null;
}
