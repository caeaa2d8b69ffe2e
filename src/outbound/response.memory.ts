import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';

/** A reader that can be told to wait. */
export interface PausableReader {
  pause(): void;
  resume(): void;
}

/**
 * Bounds the memory of all answers that are being read. Beyond it new callers are refused, other calls are not sent, and
 * readers wait: all but the one that began first, so that somebody always comes to an end.
 */
@Injectable()
export class ResponseMemory {
  private used = 0;
  private readonly reading = new Map<PausableReader, number>();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly settings: Settings) {}

  get isFull(): boolean {
    return this.used >= this.settings.RESPONSE_BUFFER_LIMIT;
  }

  /** Calls the listener each time that there is room again. */
  onRoom(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A reader holds so many bytes more. */
  add(reader: PausableReader, bytes: number): void {
    this.used += bytes;
    this.reading.set(reader, (this.reading.get(reader) ?? 0) + bytes);
    if (this.isFull && reader !== this.first()) reader.pause();
  }

  /** A reader is done, or has given up. */
  release(reader: PausableReader): void {
    const bytes = this.reading.get(reader);
    if (bytes === undefined) return;
    const wasFull = this.isFull;
    this.used -= bytes;
    this.reading.delete(reader);
    if (this.isFull) this.first()?.resume();
    else if (wasFull) this.makeRoom();
  }

  private makeRoom(): void {
    for (const reader of this.reading.keys()) reader.resume();
    for (const listener of this.listeners) listener();
  }

  private first(): PausableReader | undefined {
    return this.reading.keys().next().value;
  }
}
