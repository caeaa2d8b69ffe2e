import { StorageUnavailableError } from '../../common/errors.js';

/** Classes of SQLSTATE that say that a statement or its values are bad: bad data, a broken constraint, bad SQL. */
const BAD_STATEMENT = ['22', '23', '42'];
/** Serialization failures and deadlocks: the same transaction may well pass now. */
const PASSING = ['40001', '40P01'];
/** What no waiting mends: a wrong password, no such role or database, no right to use it. */
const HOPELESS = ['28P01', '28000', '3D000', '42501'];

/** The SQLSTATE of an error that PostgreSQL gave; empty for any other. */
function sqlState(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

/** True when the statement is to blame and not the server. */
export const isBadStatement = (error: unknown): boolean => BAD_STATEMENT.includes(sqlState(error).slice(0, 2));

export const isPassing = (error: unknown): boolean => PASSING.includes(sqlState(error));

export const isHopeless = (error: unknown): boolean => HOPELESS.includes(sqlState(error));

/** What a caller of the store is told. */
export const storeError = (error: unknown): unknown => (isBadStatement(error) ? error : new StorageUnavailableError(error));
