/**
 * Which rows of a long list are to be there: those in sight, and some beyond on each side.
 * @param {{ top: number, height: number, rowHeight: number, count: number, beyond?: number }} view
 * @returns {{ first: number, end: number }} `end` is the first that is not
 */
export function visibleRange({ top, height, rowHeight, count, beyond = 6 }) {
  const first = Math.max(0, Math.floor(top / rowHeight) - beyond);
  const end = Math.min(count, Math.ceil((top + height) / rowHeight) + beyond);
  return { first: Math.min(first, Math.max(0, end)), end };
}

/**
 * Where to scroll so that a row is in sight; where the list stands when it is already.
 * @param {number} index
 * @param {{ top: number, height: number, rowHeight: number }} view
 */
export function scrolledTo(index, { top, height, rowHeight }) {
  const start = index * rowHeight;
  if (start < top) return start;
  return Math.max(top, start + rowHeight - height);
}
