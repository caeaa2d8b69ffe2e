import { IsIn, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import type { JsonObject } from '../common/json.js';
import { Follows, IsJsonObject } from '../inbound/follows.js';

const MESSAGE_TYPES = ['status', 'event', 'command', 'query'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export const MESH_ID_LENGTH = 255;

/** An id of the mesh: a string of 1 to 255 characters, or a whole number. */
function meshIdRule(value: unknown): string | null {
  const isText = typeof value === 'string' && value.length >= 1 && value.length <= MESH_ID_LENGTH;
  return isText || Number.isSafeInteger(value) ? null : `must be a string of 1 to ${MESH_ID_LENGTH} characters or a whole number`;
}

/** The body of `POST /message`; contract §3. */
export class Message {
  @Follows(meshIdRule)
  trace_id: string | number = '';

  @Follows(meshIdRule)
  source: string | number = '';

  @Follows(meshIdRule)
  target: string | number = '';

  @IsIn(MESSAGE_TYPES)
  message_type: MessageType | undefined = undefined;

  @IsJsonObject()
  payload: JsonObject | undefined = undefined;

  @IsOptional()
  @IsString()
  @Length(0, 64)
  timestamp: string | null = null;
}

/** The body of `POST /send`; contract §3. */
export class Send {
  @Follows(meshIdRule)
  target: string | number = '';

  @IsIn(MESSAGE_TYPES)
  message_type: MessageType | undefined = undefined;

  @IsJsonObject()
  payload: JsonObject = {};

  @IsIn(['high', 'normal', 'low'])
  priority: 'high' | 'normal' | 'low' = 'normal';

  /** Attempts in all. */
  @IsInt()
  @Min(1)
  @Max(10)
  retry_count = 3;
}
