import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Requires } from '../common/access.js';
import { Lifecycle } from '../common/lifecycle.js';
import { validBody, ValidQuery } from '../inbound/valid.js';
import { AsynchronousTasks } from './asynchronous.tasks.js';
import { callerOf } from './caller.js';
import { ListTasks } from './list-tasks.dto.js';
import { readPrefer } from './prefer.js';
import { RetryTasks } from './retry-tasks.dto.js';
import { SubmitTask } from './submit-task.dto.js';
import { readBatch } from './task.batch.js';
import { TaskControl } from './task.control.js';
import { isFinal } from './task.js';
import { toQuery } from './task.filters.js';
import { TaskRules } from './task.rules.js';
import { TaskService } from './task.service.js';
import { batchText, pageText, recordText, resultText } from './task.view.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Tasks over HTTP; contract §2. The answers are JSON texts already, with the droplets' bodies as they were written. */
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TaskService,
    private readonly asynchronous: AsynchronousTasks,
    private readonly control: TaskControl,
    private readonly rules: TaskRules,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Post()
  @Requires('tasks:write')
  @HttpCode(200)
  @Header('content-type', JSON_TYPE)
  async submit(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    // Here, not in a pipe: Nest makes three promises to wait for one, 1 % of a task's CPU.
    const task = validBody(SubmitTask, body);
    const preference = readPrefer(request.headers.prefer?.toString());
    const isAsynchronous = preference.isAsynchronous || task.delay_ms !== null || task.run_at !== null;
    this.rules.check(task, isAsynchronous, request.identity);
    if (preference.applied !== null) reply.header('preference-applied', preference.applied);
    const caller = callerOf(request, reply, this.lifecycle);
    if (!isAsynchronous) {
      const { task: ended, recorded, replayed, calledMs } = await this.tasks.run(task, caller);
      request.calledMs = calledMs;
      if (replayed) reply.header('idempotency-replayed', 'true');
      return resultText(ended, recorded);
    }
    const receipt = await this.asynchronous.accept(task, caller);
    if (receipt.replayed) reply.header('idempotency-replayed', 'true');
    const { waitMs } = preference;
    const known = waitMs > 0 ? await this.asynchronous.waitFor(receipt.task, waitMs, caller.waitEnd()) : receipt.task;
    if (waitMs > 0 && isFinal(known.status)) return resultText(known);
    reply.code(202).header('location', `/orchestrator/tasks/${known.id}`);
    return resultText(known);
  }

  @Post('batch')
  @Requires('tasks:write')
  @HttpCode(200)
  @Header('content-type', JSON_TYPE)
  async submitBatch(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const tasks = readBatch(body).map((task) => (task instanceof SubmitTask ? this.rules.checked(task, request.identity) : task));
    return batchText(await this.asynchronous.acceptAll(tasks, callerOf(request, reply, this.lifecycle)));
  }

  @Get()
  @Requires('tasks:read')
  @Header('content-type', JSON_TYPE)
  async list(
    @Query(new ValidQuery(ListTasks)) query: ListTasks,
    @Query() all: Record<string, unknown>,
    @Req() { identity }: FastifyRequest,
  ): Promise<string> {
    return pageText(await this.tasks.list(toQuery(query, all, identity)), query.limit);
  }

  @Post('retry')
  @Requires('tasks:write')
  @HttpCode(202)
  async retryMany(@Body() body: unknown = {}, @Req() { identity }: FastifyRequest): Promise<{ scheduled: number }> {
    return { scheduled: await this.control.retryMany(validBody(RetryTasks, body), identity) };
  }

  @Get(':id')
  @Requires('tasks:read')
  @Header('content-type', JSON_TYPE)
  async get(@Param('id') id: string, @Req() { identity }: FastifyRequest): Promise<string> {
    return recordText(await this.tasks.get(id, identity));
  }

  @Delete(':id')
  @Requires('tasks:write')
  @Header('content-type', JSON_TYPE)
  async cancel(@Param('id') id: string, @Req() { identity }: FastifyRequest): Promise<string> {
    return recordText(await this.control.cancel(id, identity));
  }

  @Post(':id/retry')
  @Requires('tasks:write')
  @HttpCode(202)
  @Header('content-type', JSON_TYPE)
  async retry(@Param('id') id: string, @Req() { identity }: FastifyRequest): Promise<string> {
    return recordText(await this.control.retry(id, identity));
  }
}
