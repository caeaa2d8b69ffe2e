import { Equals, IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Max, Min, ValidateIf } from 'class-validator';
import { Follows } from '../inbound/follows.js';
import { pathFault } from '../outbound/target-url.js';
import { headersFault, stringMapFault } from './submit-task.rules.js';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** A field of the asynchronous tasks, which this version does not have: asking for it must not be ignored. */
const NotYet = (): PropertyDecorator =>
  Equals(null, { message: '$property needs asynchronous tasks, which this version does not have' });

/** The body of `POST /tasks`; contract §2. */
export class SubmitTask {
  @IsString()
  @Length(1, 255)
  droplet_name = '';

  @IsIn(METHODS)
  method: (typeof METHODS)[number] = 'GET';

  @IsString()
  @Length(1, 2048)
  @Follows(pathRule)
  path = '';

  /** Any JSON value; nothing looks inside. */
  payload: unknown = null;

  @ValidateIf((_task, value) => value !== null)
  @Follows(stringMapFault)
  meta: Readonly<Record<string, string>> | null = null;

  @IsOptional()
  @Follows(headersFault)
  headers: Readonly<Record<string, string>> | null = null;

  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(600_000)
  timeout_ms: number | null = null;

  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(120_000)
  attempt_timeout_ms: number | null = null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(50)
  max_attempts: number | null = null;

  @IsOptional()
  @IsBoolean()
  retry_unsafe: boolean | null = null;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(9)
  priority: number | null = null;

  @NotYet()
  delay_ms = null;

  @NotYet()
  run_at = null;

  @NotYet()
  callback_url = null;
}

function pathRule(value: unknown): string | null {
  return typeof value === 'string' ? pathFault(value) : null;
}
