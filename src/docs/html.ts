/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[] | null | undefined;

/** HTML of a template whose other parts are escaped, unless they are HTML already. */
export const markup = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(texts.map((text, index) => text + partText(parts[index])).join(''));

function partText(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('\n');
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/** The little of Markdown that the descriptions use: paragraphs, tables, `code` and **stress**. */
export function prose(markdown = ''): readonly Html[] {
  return markdown.split('\n\n').map((block) => (block.startsWith('|') ? table(block) : markup`<p>${inline(block)}</p>`));
}

function table(block: string): Html {
  const [head = [], , ...rows] = block.split('\n').map((line) => line.split('|').slice(1, -1));
  return markup`<table>
    <thead>
      <tr>
        ${head.map((cell) => markup`<th>${cell.trim()}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          markup`<tr>
            ${row.map((cell) => markup`<td>${inline(cell.trim())}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

export const inline = (text = ''): Html =>
  new Html(
    escaped(text)
      .replace(/`([^`]+)`/g, '<code>$1</code>')
      .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>'),
  );
