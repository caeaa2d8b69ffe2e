/** What `import … from 'fpai-orchestrator'` gives. */
export { OrchestratorClient, type WaitOptions } from './orchestrator.client.js';
export { OrchestratorError, type OrchestratorErrorCode } from './orchestrator.error.js';
export { JsonText } from './json.text.js';
export { replyOf, type Reply } from './reply.js';
export { isFinal, type TaskFilter, type TaskPageFilter, type TaskStatus } from './task.filter.js';
export type { TaskChange, EventOptions } from './task.events.js';
export type { SubmitOptions, EnqueueOptions } from './submission.js';
export type { ClientOptions } from './transport.js';
export type { Limits } from './deadline.js';
export type * from './api.types.js';
