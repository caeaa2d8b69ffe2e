const BOM = /^\uFEFF/;

/**
 * A droplet's body as a JSON text: JSON is checked and stays as it was written, which is cheaper than printing it anew
 * and keeps every number; what is not JSON becomes a string, with U+FFFD for what is not UTF-8; empty is null.
 */
export function responseJson(body: Buffer): string {
  const text = body.toString('utf8').replace(BOM, '');
  if (text.length === 0) return 'null';
  return isJson(text) ? text : JSON.stringify(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
