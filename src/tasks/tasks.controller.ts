import { Body, Controller, Get, Header, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidRequestError } from '../common/errors.js';
import { ValidBody, ValidQuery } from '../inbound/valid.js';
import { goneAway } from '../inbound/gone-away.js';
import { ListTasks } from './list-tasks.dto.js';
import { SubmitTask } from './submit-task.dto.js';
import { TaskService } from './task.service.js';
import type { TaskQuery } from './task.store.js';
import { pageText, recordText, resultText } from './task.view.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const META = 'meta.';
/** Each is one more look-up for every task that the others let through. */
const MAX_META_FILTERS = 32;

/** Tasks over HTTP; contract §2. The answers are JSON texts already, with the droplets' bodies as they were written. */
@Controller('tasks')
export class TasksController {
  constructor(private readonly tasks: TaskService) {}

  @Post()
  @HttpCode(200)
  @Header('content-type', JSON_TYPE)
  async submit(
    @Body(new ValidBody(SubmitTask)) task: SubmitTask,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('traceparent') traceparent: string | undefined,
  ): Promise<string> {
    const caller = { requestId: request.id, traceparent, goneAway: goneAway(reply) };
    return resultText(await this.tasks.run(task, caller));
  }

  @Get()
  @Header('content-type', JSON_TYPE)
  async list(@Query(new ValidQuery(ListTasks)) query: ListTasks, @Query() all: Record<string, unknown>): Promise<string> {
    return pageText(await this.tasks.list(toQuery(query, all)), query.limit);
  }

  @Get(':id')
  @Header('content-type', JSON_TYPE)
  async get(@Param('id') id: string): Promise<string> {
    return recordText(await this.tasks.get(id));
  }
}

function toQuery(
  { status, droplet_name, created_after, created_before, cursor, limit }: ListTasks,
  all: Record<string, unknown>,
): TaskQuery {
  const filters = { status, dropletName: droplet_name, createdAfter: created_after, createdBefore: created_before, cursor };
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), meta: metaFilters(all), limit };
}

function metaFilters(all: Record<string, unknown>): Record<string, string> {
  const given = Object.entries(all).filter(([name]) => name.startsWith(META));
  if (given.length > MAX_META_FILTERS) throw InvalidRequestError.of('meta', `may hold at most ${MAX_META_FILTERS} filters`);
  const filters = given.map(([name, value]) => {
    if (typeof value !== 'string') throw InvalidRequestError.of(name, 'may be given only once');
    return [name.slice(META.length), value] as const;
  });
  return Object.fromEntries(filters);
}
