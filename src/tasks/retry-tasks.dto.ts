import { IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { IsInstant } from './instant.js';

/** The body of `POST /tasks/retry`; without a status, every task that failed. */
export class RetryTasks {
  @IsOptional()
  @IsIn(['error', 'timeout', 'cancelled'])
  status: 'error' | 'timeout' | 'cancelled' | null = null;

  @IsOptional()
  @IsString()
  @Length(1, 255)
  droplet_name: string | null = null;

  @IsOptional()
  @IsInstant()
  created_after: number | string | null = null;

  @IsOptional()
  @IsInstant()
  created_before: number | string | null = null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  limit: number | null = null;

  @IsOptional()
  @IsNumber()
  @Min(0.001)
  @Max(10_000)
  rate_per_second: number | null = null;
}
