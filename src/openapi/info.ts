import { errorTable } from './error.answers.js';

const DESCRIPTION = `Routes tasks to the services of a mesh ("droplets"), retries what deserves it, and remembers every one.

Every path answers also without \`/orchestrator\`. JSON in and out; an optional field of an answer is there as null.
Unknown fields of a body are ignored. Durations are milliseconds; \`…_at\` of tasks are epoch seconds.

Every error has one shape, and its \`code\` is what to decide by:

${errorTable()}

408, 414 and 431, where HTTP asks for them, carry \`INVALID_REQUEST\`. A path that does not exist is 404 \`NOT_FOUND\`, a
method that it does not have is 405 \`METHOD_NOT_ALLOWED\`.`;

export const INFO = {
  title: 'Orchestrator',
  summary: 'A task router for a mesh of HTTP services',
  description: DESCRIPTION,
  license: { name: 'MIT', identifier: 'MIT' },
};

export const TAGS = [
  { name: 'Tasks', description: 'Requests that are made to droplets on behalf of a caller' },
  { name: 'Droplets', description: 'The services of the mesh, and how their calls go' },
  { name: 'Registry', description: 'Writing to the built-in Registry; 409 where `REGISTRY_URL` names another one' },
  { name: 'Messages', description: 'Messages from and to droplets' },
  { name: 'Health', description: 'The health page and the probes of Kubernetes' },
  { name: 'Service', description: 'What the service says of itself' },
];
