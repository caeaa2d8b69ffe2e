import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseSettings } from '../config/settings.js';
import { ResponseMemory } from './response.memory.js';

const MIB = 1024 * 1024;

/** Takes what it is given while it is not told to wait. */
class Reader {
  isPaused = false;

  constructor(
    private readonly memory: ResponseMemory,
    private left: number,
  ) {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** Reads a quarter of a MiB; true when it has come to its end. */
  read(): boolean {
    if (this.isPaused) return false;
    this.memory.add(this, MIB / 4);
    this.left--;
    if (this.left === 0) this.memory.release(this);
    return this.left === 0;
  }
}

describe('the memory of all answers that are being read', () => {
  let memory: ResponseMemory;

  beforeEach(() => {
    memory = new ResponseMemory(parseSettings({ RESPONSE_BUFFER_LIMIT: String(2 * MIB) }));
  });

  it('lets everybody read while there is some', () => {
    const readers = [new Reader(memory, 9), new Reader(memory, 9)];
    for (let round = 0; round < 3; round++) for (const reader of readers) reader.read();
    expect([memory.isFull, ...readers.map(({ isPaused }) => isPaused)]).toEqual([false, false, false]);
  });

  it('beyond it all wait but the one that began first', () => {
    const [first, second, third] = [new Reader(memory, 99), new Reader(memory, 99), new Reader(memory, 99)];
    for (let round = 0; round < 4; round++) for (const reader of [first, second, third]) reader.read();
    expect(memory.isFull).toBe(true);
    expect([first, second, third].map(({ isPaused }) => isPaused)).toEqual([false, true, true]);
  });

  it('nobody is stuck: all come to their end, however many there are and however large they are', () => {
    let reading = Array.from({ length: 50 }, () => new Reader(memory, 12));
    let rounds = 0;
    while (reading.length > 0 && rounds < 10_000) {
      rounds++;
      reading = reading.filter((reader) => !reader.read());
    }
    expect([reading.length, memory.isFull]).toEqual([0, false]);
  });

  it('when the first gives up, the next one goes on', () => {
    const [first, second, third] = [new Reader(memory, 99), new Reader(memory, 99), new Reader(memory, 99)];
    first.read();
    for (let round = 0; round < 4; round++) second.read();
    for (let round = 0; round < 5; round++) third.read();
    expect([second.isPaused, third.isPaused]).toEqual([false, true]);
    for (let round = 0; round < 4; round++) second.read();
    expect([second.isPaused, memory.isFull]).toEqual([true, true]);
    memory.release(first);
    expect([memory.isFull, second.isPaused]).toEqual([true, false]);
    memory.release(second);
    expect([memory.isFull, third.isPaused]).toEqual([false, false]);
  });

  it('tells each time that there is room again, and at no other', () => {
    const [first, second] = [new Reader(memory, 99), new Reader(memory, 99)];
    let told = 0;
    memory.onRoom(() => told++);
    first.read();
    memory.release(first);
    for (let round = 1; round <= 2; round++) {
      for (let read = 0; read < 8; read++) first.read();
      for (let read = 0; read < 8; read++) memory.add(second, MIB);
      memory.release(first);
      expect([memory.isFull, told]).toEqual([true, round - 1]);
      memory.release(second);
      expect([memory.isFull, told]).toEqual([false, round]);
    }
  });

  it('gives back each reader once', () => {
    const [first, second] = [new Reader(memory, 99), new Reader(memory, 99)];
    for (let round = 0; round < 8; round++) first.read();
    memory.release(first);
    memory.release(first);
    memory.release(second);
    for (let round = 0; round < 8; round++) second.read();
    expect(memory.isFull).toBe(true);
  });
});
