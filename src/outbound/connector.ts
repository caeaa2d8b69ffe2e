import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { AddressRefusedError, lookupGuardedBy, type AddressRule } from './address.guard.js';

/** How long a connection may take to stand, name look-up and TLS included; contract §6. */
const CONNECT_TIMEOUT_MS = 2000;

/** No connection stood, so no byte of the request left. */
export class NotSentError extends Error {
  constructor(cause: Error) {
    super(`Connection failed: ${describe(cause)}`, { cause });
    this.name = 'NotSentError';
  }
}

/** A failed happy-eyeballs connect is an AggregateError without a message of its own. */
function describe(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((each: Error) => each.message).join(', ') : error.message;
}

/** Opens connections, but never to a refused address: literals are checked here, names by their look-up. */
export function guardedConnector(isRefused: AddressRule): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false, lookup: lookupGuardedBy(isRefused) });
  return (options, callback) => {
    if (isIP(options.hostname.replace(/^\[|\]$/g, '')) && isRefused(options.hostname)) {
      return callback(new AddressRefusedError(options.hostname), null);
    }
    connect(options, (...[error, socket]) => {
      if (!error) return callback(null, socket);
      callback(error instanceof AddressRefusedError ? error : new NotSentError(error), null);
    });
  };
}
