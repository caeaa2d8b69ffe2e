import { ref, type Schema } from './schema.js';

const header = (name: string, description: string): Schema => ({
  ...{ name, in: 'header', required: true, description },
  schema: { type: 'string' },
});

const taken = { description: 'Any 2xx: taken. Anything else is tried again.' };

/** What a `callback_url` gets. */
const callback = (operationId: string): Schema => ({
  post: {
    ...{ operationId, tags: ['Tasks'], summary: 'A task has ended' },
    description:
      'Sent to `callback_url` once at the final state, signed by Standard Webhooks with `CALLBACK_SECRET`, and repeated until a 2xx or until the attempts are spent.',
    security: [],
    parameters: [
      header('webhook-id', 'The id of the task: the same on every delivery'),
      header('webhook-timestamp', 'When it was sent, epoch seconds'),
      header('webhook-signature', '`v1,` and the signature; one for each secret, with a space between'),
    ],
    requestBody: { required: true, content: { 'application/json': { schema: ref('CallbackBody') } } },
    responses: { '2XX': taken, '4XX': { description: 'Refused; it is tried again only where that makes sense' } },
  },
});

export const TASK_CALLBACK: Schema = { taskEnded: { '{$request.body#/callback_url}': callback('onTaskEnded') } };

export const WEBHOOKS: Schema = {
  taskEnded: callback('receiveTaskEnded'),
  message: {
    post: {
      ...{ operationId: 'receiveMessage', tags: ['Messages'], summary: 'A message for a droplet' },
      description: 'What `POST /orchestrator/send` delivers to `/message` below the endpoint of its target.',
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema: ref('MessageToDroplet') } } },
      responses: { '2XX': taken, '4XX': { description: 'Refused; never sent again' } },
    },
  },
};
