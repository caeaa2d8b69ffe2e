import { UdcController } from '../udc/udc.controller.js';
import { DashboardController } from '../dashboard/dashboard.controller.js';
import { DocsController } from '../docs/docs.controller.js';
import { describe, type Operation } from './operation.js';
import { parameter } from './parameters.js';
import { ref, string } from './schema.js';

const page = (id: string, summary: string, schema: string): Operation => ({
  ...{ id, tag: 'Service', summary, answer: { description: 'The page', schema: ref(schema) } },
});

const file = { headers: ['ETag'], description: 'The file' };

export const SERVICE_ROUTES = [
  describe(UdcController, {
    index: page('getIndex', 'Name, version and links', 'Index'),
    info: page('getInfo', 'Who it is, and where it is registered', 'Info'),
    capabilities: page('getCapabilities', 'What it can do', 'Capabilities'),
    state: page('getState', 'CPU, memory, age and requests of the process', 'State'),
    dependencies: page('getDependencies', 'What it depends on, and whether that is there', 'Dependencies'),
  }),
  describe(DocsController, {
    document: {
      ...{ id: 'getOpenApi', tag: 'Service', summary: 'This document', parameters: [parameter('IfNoneMatch')] },
      answer: { ...file, schema: { type: 'object', additionalProperties: true } },
      moreAnswers: { 304: { description: 'The copy at hand is still the same', headers: ['ETag'] } },
    },
    page: {
      ...{ id: 'getDocs', tag: 'Service', summary: 'This document as a page', parameters: [parameter('IfNoneMatch')] },
      answer: { ...file, text: [{ type: 'text/html', schema: string('The page') }] },
      moreAnswers: { 304: { description: 'The copy at hand is still the same', headers: ['ETag'] } },
    },
  }),
  describe(DashboardController, {
    page: {
      ...{ id: 'getDashboard', tag: 'Service', summary: 'The page for operators', parameters: [parameter('IfNoneMatch')] },
      description: 'The page asks this API, with a key that its reader gives it.',
      answer: { ...file, text: [{ type: 'text/html', schema: string('The page') }] },
      moreAnswers: { 304: { description: 'The copy at hand is still the same', headers: ['ETag'] } },
    },
    file: {
      ...{ id: 'getDashboardFile', tag: 'Service', summary: 'A file of the page', parameters: [parameter('IfNoneMatch')] },
      answer: { ...file, text: ['text/javascript', 'image/svg+xml'].map((type) => ({ type, schema: string('The file') })) },
      moreAnswers: { 304: { description: 'The copy at hand is still the same', headers: ['ETag'] } },
      errors: ['NOT_FOUND'],
    },
  }),
];
