import { Injectable } from '@nestjs/common';
import type { Identity } from '../common/access.js';
import { OrchestratorError, TaskNotFoundError } from '../common/errors.js';
import { Log } from '../common/log.js';
import type { JsonObject } from '../common/json.js';
import { HealthService } from '../health/health.service.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import { DropletView } from '../registry/droplet.view.js';
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

/** The request that a message came with. */
export interface Sender {
  readonly id: string;
  readonly identity: Identity;
}

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
    private readonly view: DropletView,
    private readonly health: HealthService,
    private readonly log: Log,
  ) {}

  async receive(message: Message, sender: Sender): Promise<MessageResult> {
    const { trace_id, source, message_type } = message;
    this.log.info({ request_id: sender.id, message_trace_id: trace_id, source, message_type }, 'message received');
    try {
      return await this.act(message, sender);
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw error;
      return failed(error.code, error.message);
    }
  }

  private async act({ message_type, payload = {} }: Message, sender: Sender): Promise<MessageResult> {
    switch (message_type) {
      case 'query':
        return this.answer(payload, sender);
      case 'command':
        return this.obey(payload, sender);
      default:
        return { result: 'success', data: 'null' };
    }
  }

  private async obey(payload: JsonObject, sender: Sender): Promise<MessageResult> {
    switch (payload.command) {
      case 'create_task':
        return { result: 'queued', data: resultText(await this.createTask(payload.task_data, sender)) };
      case 'cancel_task':
        return { result: 'success', data: recordText(await this.control.cancel(taskIdOf(payload), sender.identity)) };
      default:
        return failed('UNKNOWN_COMMAND', `Unknown command '${String(payload.command)}'`);
    }
  }

  private async createTask(taskData: unknown, { id, identity }: Sender): Promise<TaskRecord> {
    const submitted = validBody(SubmitTask, taskData);
    this.rules.check(submitted, true, identity);
    const caller = { identity, requestId: id, traceparent: null, idempotencyKey: null, waitEnd: () => NEVER };
    return (await this.asynchronous.accept(submitted, caller)).task;
  }

  private async answer(payload: JsonObject, { identity }: Sender): Promise<MessageResult> {
    switch (payload.query) {
      case 'task_status':
        return { result: 'success', data: recordText(await this.tasks.get(taskIdOf(payload), identity)) };
      case 'droplet_list':
        return {
          result: 'success',
          data: JSON.stringify({ droplets: (await this.directory.list()).droplets.map((droplet) => this.view.of(droplet)) }),
        };
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
