import { v7 } from 'uuid';

/** Ids are UUIDv7 (RFC 9562): their first 48 bits are the creation time, so their order is that of creation. */
export const newTaskId = (): string => v7();

/** The creation time that an id holds, epoch milliseconds. */
export const createdAtOf = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** No id made at or after `ms` (epoch milliseconds) is smaller than this. */
export function firstIdOf(ms: number): string {
  const hex = Math.min(Math.max(0, Math.ceil(ms)), 0xffff_ffff_ffff)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
