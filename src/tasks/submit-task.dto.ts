import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Max, Min, ValidateIf } from 'class-validator';
import { Follows } from '../inbound/follows.js';
import { pathFault } from '../outbound/target-url.js';
import { IsIsoTime } from './instant.js';
import { headersFault, stringMapFault } from '../outbound/header.rules.js';

/** An asynchronous task may take a week. */
const LONGEST_MS = 604_800_000;
/** A hundred years: a delay is a number, so something must bound it. */
const LONGEST_DELAY_MS = 3_155_760_000_000;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

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
  @Max(LONGEST_MS)
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

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(LONGEST_DELAY_MS)
  delay_ms: number | null = null;

  @IsOptional()
  @IsIsoTime()
  run_at: string | null = null;

  @IsOptional()
  @IsString()
  callback_url: string | null = null;
}

function pathRule(value: unknown): string | null {
  return typeof value === 'string' ? pathFault(value) : null;
}
