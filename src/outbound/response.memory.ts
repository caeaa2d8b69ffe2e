import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';

/** A reader that can be told to wait. */
export interface PausableReader {
  pause(): void;
  resume(): void;
}

/**
 * Bounds the memory of all answers that are being read. Beyond it new callers are refused, and readers wait: all but the
 * one that began first, so that somebody always comes to an end.
 */
@Injectable()
export class ResponseMemory {
  private used = 0;
  private readonly reading = new Map<PausableReader, number>();

  constructor(private readonly settings: Settings) {}

  get isFull(): boolean {
    return this.used >= this.settings.RESPONSE_BUFFER_LIMIT;
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
    if (!this.isFull) {
      if (wasFull) for (const other of this.reading.keys()) other.resume();
    } else {
      this.first()?.resume();
    }
  }

  private first(): PausableReader | undefined {
    return this.reading.keys().next().value;
  }
}
