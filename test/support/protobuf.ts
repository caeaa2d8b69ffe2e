/** A message of protobuf as it is on the wire: the values of each field number, in their order. */
export type Message = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

/** Reads a message without its schema. @throws for bytes that are none */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>();
  for (let at = 0; at < bytes.length;) {
    const tag = varint(bytes, at);
    const [number, wire] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    const { value, next } = valueOf(wire, bytes, tag.next);
    fields.set(number, [...(fields.get(number) ?? []), value]);
    at = next;
  }
  return fields;
}

interface Read<T> {
  readonly value: T;
  readonly next: number;
}

function valueOf(wire: number, bytes: Buffer, at: number): Read<bigint | Buffer> {
  switch (wire) {
    case 0:
      return varint(bytes, at);
    case 1:
      return { value: bytes.readBigUInt64LE(at), next: at + 8 };
    case 5:
      return { value: BigInt(bytes.readUInt32LE(at)), next: at + 4 };
    case 2: {
      const { value: length, next } = varint(bytes, at);
      return { value: bytes.subarray(next, next + Number(length)), next: next + Number(length) };
    }
    default:
      throw new Error(`no wire type ${wire}`);
  }
}

function varint(bytes: Buffer, from: number): Read<bigint> {
  let value = 0n;
  for (let at = from, shift = 0n; ; at++, shift += 7n) {
    const byte = bytes.readUInt8(at);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}

export const messagesOf = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map((value) => readMessage(value as Buffer));

export const textOf = (message: Message, field: number): string => bufferOf(message, field).toString();

export const hexOf = (message: Message, field: number): string => bufferOf(message, field).toString('hex');

export const numberOf = (message: Message, field: number): number => Number(message.get(field)?.[0] ?? 0);

const bufferOf = (message: Message, field: number): Buffer => (message.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
