// A dot that moves along an arrow shows that its message arrives.

import { svg } from './dom.js';

const MOVE_MS = 450;

/** Moves a dot along each of these arrows, unless the person wants no motion. */
export function move(arrows, layer) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const at = (x, y) => ({ transform: `translate(${x}px, ${y}px)` });
  for (const { arrow, ends } of arrows) {
    if (ends.part === 'start') continue;
    const dot = svg('circle', { class: `moving k-${arrow.kind}`, r: 6 });
    layer.append(dot);
    const motion = dot.animate([at(ends.x1, ends.y1), at(ends.x2, ends.y2)], { duration: MOVE_MS, easing: 'ease-in-out' });
    motion.finished.then(() => dot.remove(), () => dot.remove());
  }
}
