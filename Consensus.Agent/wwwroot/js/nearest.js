// Which arrow or mark of the diagram a point means.

// At most this many pixels from the point.
const REACH = 8;

/** @param {(arrow: object) => boolean} isHidden whether an arrow is filtered out */
export function nearest(targets, { x, y }, isHidden) {
  let found = null;
  let limit = REACH;
  for (const target of targets) {
    if (target.arrow && isHidden(target.arrow)) continue;
    const distance = target.mark ? Math.hypot(target.x - x, target.y - y) - 8 : distanceToSegment(x, y, target.ends);
    if (distance < limit) [found, limit] = [target, distance];
  }
  return found;
}

function distanceToSegment(x, y, { x1, y1, x2, y2 }) {
  if (y < Math.min(y1, y2) - 9 || y > Math.max(y1, y2) + 9) return Infinity;
  const [dx, dy] = [x2 - x1, y2 - y1];
  const part = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - part * dx, y - y1 - part * dy);
}
