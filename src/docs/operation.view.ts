import { markup, inline, prose, type Html } from './html.js';
import type { OperationObject, ParameterObject, ResponseObject } from './open.api.js';
import { fieldTable, typeView } from './schema.view.js';

/** An operation with all that it refers to. */
interface Shown {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
  readonly parameters: readonly ParameterObject[];
  readonly responses: readonly (readonly [string, ResponseObject])[];
}

export function operationView({ method, path, operation, parameters, responses }: Shown): Html {
  const body = operation.requestBody?.content['application/json'];
  return markup`<details id="${operation.operationId}">
    <summary><b class="${method.toLowerCase()}">${method}</b> <code>${path}</code> ${operation.summary}</summary>
    ${prose(operation.description)} ${fieldTable(parameters.map(parameterRow))}
    ${body ? markup`<p>Body: ${typeView(body.schema)}</p>` : null}
    ${commands(method, path, body?.examples).map((command) => markup`<pre><code>${command}</code></pre>`)}
    <table>
      <thead>
        <tr>
          <th>status</th>
          <th>body</th>
          <th>when</th>
        </tr>
      </thead>
      <tbody>
        ${responses.map(answerRow)}
      </tbody>
    </table>
  </details>`;
}

const parameterRow = ({ name, in: place, description, schema }: ParameterObject): Html =>
  markup`<tr>
    <td><code>${name}</code> <i>${place}</i></td>
    <td>${typeView(schema)}</td>
    <td>${inline(description)}</td>
  </tr>`;

function answerRow([status, { description, content = {} }]: readonly [string, ResponseObject]): Html {
  const bodies = Object.entries(content).map(([type, { schema }]) => markup`${typeView(schema)} <small>${type}</small>`);
  return markup`<tr>
    <td>${status}</td>
    <td>${bodies}</td>
    <td>${prose(description)}</td>
  </tr>`;
}

/** What to type: one command for each example, or one without a body. */
function commands(
  method: string,
  path: string,
  examples: Readonly<Record<string, { summary: string; value: unknown }>> = {},
): string[] {
  const start = `curl${method === 'GET' ? '' : ` -X ${method}`} http://localhost:8001${path}`;
  const withBody = Object.values(examples).map(
    ({ summary, value }) => `# ${summary}\n${start} -H 'content-type: application/json' -d '${JSON.stringify(value, null, 2)}'`,
  );
  return withBody.length > 0 ? withBody : [start];
}
