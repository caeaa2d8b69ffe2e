import { Transform } from 'class-transformer';
import { IsInt, IsNumber, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { instantMs } from './instant.js';

/** A text of digits as a number; anything else stays as it is and fails the validation. */
function Digits(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
}

/** Epoch seconds or ISO 8601 as epoch milliseconds; anything else stays as it is and fails the validation. */
function Instant(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (instantMs(value) ?? value) : value));
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The query of `GET /tasks`, without the `meta.KEY` filters, whose names are the caller's; contract §2. */
export class ListTasks {
  @IsOptional()
  @IsString()
  status: string | undefined = undefined;

  @IsOptional()
  @IsString()
  droplet_name: string | undefined = undefined;

  @Digits()
  @IsInt()
  @Min(1)
  @Max(1000)
  limit = 100;

  @IsOptional()
  @Instant()
  @IsNumber()
  created_after: number | undefined = undefined;

  @IsOptional()
  @Instant()
  @IsNumber()
  created_before: number | undefined = undefined;

  /** As `next_cursor` gave it: its place holds also when its task was purged since. */
  @IsOptional()
  @Matches(UUID_V7, { message: '$property must be the next_cursor of a page before' })
  cursor: string | undefined = undefined;
}
