import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';

/** The one log of the process: a JSON object a line, on standard output. Also its injection token. */
export abstract class Log {
  abstract trace(fields: object, message: string): void;
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
  abstract fatal(fields: object, message: string): void;
}

/** @param level one of pino's levels, or `silent` @param mixin fields that every line gets */
export function createLog(level: string, destination?: DestinationStream, mixin?: () => object): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorFields },
    ...(mixin ? { mixin } : {}),
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Drivers hang their connections on their errors, with all that these hold: only what tells the cause is logged. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  return { type, message, stack, ...('code' in error ? { code: error.code } : {}) };
}

/** Lets Nest's own messages go through the log; what it tells at start-up is at `debug`. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Log) {}

  log(message: unknown, ...rest: readonly unknown[]): void {
    this.to.debug({ context: rest.at(-1) }, String(message));
  }

  warn(message: unknown, ...rest: readonly unknown[]): void {
    this.to.warn({ context: rest.at(-1) }, String(message));
  }

  error(message: unknown, ...rest: readonly unknown[]): void {
    this.to.error({ context: rest.at(-1) }, String(message));
  }
}
