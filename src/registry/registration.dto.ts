import { IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import type { JsonObject } from '../common/json.js';
import { Follows, IsJsonObject } from '../inbound/follows.js';
import { endpointFault } from '../outbound/target-url.js';

export const MAX_URL = 2048;
const STATUSES = ['active', 'inactive', 'error'];
/** No control characters, and no half of a surrogate pair: a store keeps every such half as the same U+FFFD. */
const NAME = /^[^\p{Cc}\p{Cs}]*$/u;
const NAME_MESSAGE = '$property may not hold control characters or broken Unicode';

/** A string that can be called: http or https, no userinfo, query or fragment. */
function endpointRule(value: unknown): string | null {
  const isCallable = typeof value === 'string' && value.length <= MAX_URL && endpointFault(value) === null;
  return isCallable ? null : 'must be an http or https URL without user, query or fragment';
}

/** What a droplet says of itself beside its name; `url` is taken for `endpoint`. */
class DropletFields {
  @IsOptional()
  @Follows(endpointRule)
  endpoint: string | null = null;

  @IsOptional()
  @Follows(endpointRule)
  url: string | null = null;

  @IsOptional()
  @IsString()
  @Length(0, 255)
  steward: string | null = null;

  @IsOptional()
  @IsIn(STATUSES)
  status: string | null = null;

  @IsOptional()
  @IsJsonObject()
  metadata: JsonObject | null = null;

  @IsOptional()
  @IsString()
  @Length(0, 255)
  version: string | null = null;

  @IsOptional()
  proof: unknown = null;

  @IsOptional()
  @IsNumber()
  cost_usd: number | null = null;

  @IsOptional()
  @IsNumber()
  yield_usd: number | null = null;
}

/** The body of `POST /droplets`. */
export class NewDroplet extends DropletFields {
  @IsString()
  @Length(1, 255)
  @Matches(NAME, { message: NAME_MESSAGE })
  name = '';

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  id: number | null = null;
}

/** The body of `PATCH /droplets/{id}`: what is null or absent stays. */
export class DropletChange extends DropletFields {
  @IsOptional()
  @IsString()
  @Length(1, 255)
  @Matches(NAME, { message: NAME_MESSAGE })
  name: string | null = null;
}

/** The body of `POST /droplets/{id}/heartbeat`. */
export class HeartbeatReport {
  @IsOptional()
  @IsIn(STATUSES)
  status: string | null = null;

  @IsOptional()
  @IsJsonObject()
  metrics: JsonObject | null = null;
}
