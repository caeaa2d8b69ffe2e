import { IsIn, IsInt, IsObject, IsOptional, IsString, Length, Max, Min, registerDecorator } from 'class-validator';
import type { JsonObject } from '../common/json.js';

const MESSAGE_TYPES = ['status', 'event', 'command', 'query'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** An id of the mesh: a string of 1 to 255 characters, or a whole number. */
function IsMeshId(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'isMeshId',
      target: target.constructor,
      propertyName: String(property),
      options: { message: '$property must be a string of 1 to 255 characters or a whole number' },
      validator: {
        validate: (value) =>
          typeof value === 'string'
            ? value.length >= 1 && value.length <= 255
            : typeof value === 'number' && Number.isSafeInteger(value),
      },
    });
  };
}

/** The body of `POST /message`; contract §3. */
export class Message {
  @IsMeshId()
  trace_id: string | number = '';

  @IsMeshId()
  source: string | number = '';

  @IsMeshId()
  target: string | number = '';

  @IsIn(MESSAGE_TYPES)
  message_type: MessageType | undefined = undefined;

  @IsObject()
  payload: JsonObject = {};

  @IsOptional()
  @IsString()
  @Length(0, 64)
  timestamp: string | null = null;
}

/** The body of `POST /send`; contract §3. */
export class Send {
  @IsMeshId()
  target: string | number = '';

  @IsIn(MESSAGE_TYPES)
  message_type: MessageType | undefined = undefined;

  @IsObject()
  payload: JsonObject = {};

  @IsIn(['high', 'normal', 'low'])
  priority: 'high' | 'normal' | 'low' = 'normal';

  /** Attempts in all. */
  @IsInt()
  @Min(1)
  @Max(10)
  retry_count = 3;
}
