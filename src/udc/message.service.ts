import { Injectable } from '@nestjs/common';
import { OrchestratorError, TaskNotFoundError } from '../common/errors.js';
import { Log } from '../common/log.js';
import type { JsonObject } from '../common/json.js';
import { HealthService } from '../health/health.service.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import { dropletView } from '../registry/droplet.view.js';
import { validBody } from '../inbound/valid.js';
import { AsynchronousTasks } from '../tasks/asynchronous.tasks.js';
import { SubmitTask } from '../tasks/submit-task.dto.js';
import { TaskControl } from '../tasks/task.control.js';
import type { TaskRecord } from '../tasks/task.js';
import { TaskRules } from '../tasks/task.rules.js';
import { TaskService } from '../tasks/task.service.js';
import { recordText, resultText } from '../tasks/task.view.js';
import type { Message } from './message.dto.js';

/** Nobody waits on the line of a message's task. */
const NEVER = new AbortController().signal;

/** What came of a message. */
export interface MessageResult {
  readonly result: 'success' | 'queued' | 'error';
  /** JSON text. */
  readonly data: string;
}

/** Acts on the messages of other services; contract §3. */
@Injectable()
export class MessageService {
  constructor(
    private readonly tasks: TaskService,
    private readonly asynchronous: AsynchronousTasks,
    private readonly control: TaskControl,
    private readonly rules: TaskRules,
    private readonly directory: DropletDirectory,
    private readonly health: HealthService,
    private readonly log: Log,
  ) {}

  async receive(message: Message, requestId: string): Promise<MessageResult> {
    const { trace_id, source, message_type } = message;
    this.log.info({ request_id: requestId, trace_id, source, message_type }, 'message received');
    try {
      return await this.act(message, requestId);
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw error;
      return failed(error.code, error.message);
    }
  }

  private async act({ message_type, payload = {} }: Message, requestId: string): Promise<MessageResult> {
    switch (message_type) {
      case 'query':
        return this.answer(payload);
      case 'command':
        return this.obey(payload, requestId);
      default:
        return { result: 'success', data: 'null' };
    }
  }

  private async obey(payload: JsonObject, requestId: string): Promise<MessageResult> {
    switch (payload.command) {
      case 'create_task':
        return { result: 'queued', data: resultText(await this.createTask(payload.task_data, requestId)) };
      case 'cancel_task':
        return { result: 'success', data: recordText(await this.control.cancel(taskIdOf(payload))) };
      default:
        return failed('UNKNOWN_COMMAND', `Unknown command '${String(payload.command)}'`);
    }
  }

  private async createTask(taskData: unknown, requestId: string): Promise<TaskRecord> {
    const submitted = validBody(SubmitTask, taskData);
    this.rules.check(submitted, true);
    const caller = { requestId, traceparent: null, idempotencyKey: null, goneAway: NEVER };
    return (await this.asynchronous.accept(submitted, caller)).task;
  }

  private async answer(payload: JsonObject): Promise<MessageResult> {
    switch (payload.query) {
      case 'task_status':
        return { result: 'success', data: recordText(await this.tasks.get(taskIdOf(payload))) };
      case 'droplet_list':
        return { result: 'success', data: JSON.stringify({ droplets: (await this.directory.list()).droplets.map(dropletView) }) };
      case 'system_status':
        return { result: 'success', data: JSON.stringify(this.health.page()) };
      default:
        return failed('UNKNOWN_QUERY', `Unknown query '${String(payload.query)}'`);
    }
  }
}

function taskIdOf(payload: JsonObject): string {
  const id = payload.task_id;
  if (typeof id !== 'string') throw new TaskNotFoundError(String(id));
  return id;
}

function failed(code: string, message: string): MessageResult {
  return { result: 'error', data: JSON.stringify({ code, message }) };
}
