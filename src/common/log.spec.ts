import { describe, expect, it } from '@jest/globals';
import { createLog, NestLog } from './log.js';

function logTo(level: string) {
  const lines: string[] = [];
  const log = createLog(level, { write: (text: string) => void lines.push(text) });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, any>) };
}

describe('the log', () => {
  it.each(['\n', '\r\n', '\u2028', '\u0000', '"}\n{"level":"fatal"}', '\uD800', '\u001b[31m'])(
    'is one JSON object a line, whatever a caller sends: %j',
    (text) => {
      const { log, lines } = logTo('info');
      log.info({ name: text, nested: { [text]: text }, err: new Error(text) }, `message ${text}`);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
      const entry = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
      expect(entry).toMatchObject({ level: 'info', name: text, msg: `message ${text}` });
    },
  );

  it('says when, in UTC, and how bad, in words', () => {
    const { log, entries } = logTo('trace');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]({}, level);
    expect(entries().map(({ level, msg }) => [level, msg])).toEqual(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, level]),
    );
    for (const { time } of entries()) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it.each([
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ])('at %s tells only %j', (level, told) => {
    const { log, entries } = logTo(level);
    log.info({}, 'info');
    log.warn({}, 'warn');
    log.error({}, 'error');
    expect(entries().map(({ msg }) => msg)).toEqual(told);
  });

  it('survives what JSON cannot hold', () => {
    const { log, entries } = logTo('info');
    const circle: Record<string, unknown> = { big: 2n ** 64n };
    circle.self = circle;
    log.info({ circle }, 'round');
    expect(entries()).toMatchObject([{ msg: 'round' }]);
  });

  it('tells of an error what it is and where from, and nothing that a driver hung on it', () => {
    const { log, entries } = logTo('info');
    const cause = new Error('terminated');
    const error = Object.assign(new TypeError('connection lost', { cause }), { code: '57P01', client: { secretKey: 4711 } });
    log.warn({ err: error }, 'careful');
    log.warn({ err: 'a text' }, 'careful');
    const [first, second] = entries();
    expect(Object.keys(first?.err as object)).toEqual(['type', 'message', 'stack', 'code']);
    expect(first?.err).toMatchObject({ type: 'TypeError', message: 'connection lost: terminated', code: '57P01' });
    expect((first?.err as { stack: string }).stack).toContain('caused by: Error: terminated');
    expect(second?.err).toBe('a text');
  });

  it("takes Nest's own messages: what it tells at start-up only at debug, its errors always", () => {
    const { log, entries } = logTo('debug');
    const nest = new NestLog(log);
    nest.log('started', 'NestFactory');
    nest.warn('careful', 'Injector');
    nest.error('failed', 'a stack', 'ExceptionHandler');
    expect(entries()).toMatchObject([
      { level: 'debug', msg: 'started', context: 'NestFactory' },
      { level: 'warn', msg: 'careful', context: 'Injector' },
      { level: 'error', msg: 'failed', context: 'ExceptionHandler' },
    ]);
  });
});
