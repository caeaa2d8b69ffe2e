/**
 * Does something once in the next frame, however often it is asked for, and not more often than every so many milliseconds.
 * @param {() => void} draw
 * @param {number} everyMs
 */
export function oncePerFrame(draw, everyMs = 0) {
  let isPlanned = false;
  let drawnAt = -Infinity;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    const inFrame = () =>
      requestAnimationFrame((now) => {
        isPlanned = false;
        drawnAt = now;
        draw();
      });
    const wait = drawnAt + everyMs - performance.now();
    if (wait > 0) setTimeout(inFrame, wait);
    else inFrame();
  };
}
