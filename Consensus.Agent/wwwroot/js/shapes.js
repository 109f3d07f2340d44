// The SVG of one arrow, one mark, one fold. Geometry comes from the layout; colours from the style sheet by class.

import { duration, hue, plural, svg } from './dom.js';
import { label } from './words.js';

const HEAD = 6;

/** The two ends of an arrow in pixels; those that were lost or still fly end on their way. */
export function endsOf(arrow, plan) {
  const { from, to, message } = arrow;
  const [fromLane, toLane] = arrow.answer ? [message.to, message.from] : [message.from, message.to];
  const x1 = fromLane < 0 ? plan.x(toLane) - Math.min(46, plan.lane * 0.45) : plan.x(fromLane);
  const y1 = from ? from.out : to.y - 12;
  if (to) {
    const x2 = plan.x(to.lane);
    return { x1, y1, x2: x2 - Math.sign(x2 - x1) * 2.5, y2: to.y };
  }
  const far = toLane < 0 ? x1 + plan.lane * 0.4 : plan.x(toLane);
  const part = arrow.state === 'lost' ? 0.72 : 0.5;
  return { x1, y1, x2: x1 + (far - x1) * part, y2: y1 + 13 };
}

export function arrowShape(arrow, plan) {
  const ends = endsOf(arrow, plan);
  const { x1, y1, x2, y2 } = ends;
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  let d = `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`;
  if (arrow.state === 'delivered') {
    const head = arrow.answer ? HEAD * 0.8 : HEAD;
    for (const side of [1, -1]) d += `M${round(x2)} ${round(y2)}l${round(-ux * head - side * uy * head * 0.55)} ${round(-uy * head + side * ux * head * 0.55)}`;
  }

  const group = svg('g', { class: `arrow k-${arrow.kind} ${arrow.state}${arrow.answer ? ' answer' : ''}`, 'data-kind': arrow.kind, 'data-state': arrow.state });
  group.append(svg('path', { d }));
  if (arrow.state === 'lost') group.append(svg('path', { class: 'cross', d: `M${round(x2 - 4.5)} ${round(y2 - 4.5)}l9 9m0 -9l-9 9` }));
  // Among many lanes, votes for none are told by their colour alone.
  const text = plan.lane < 110 && arrow.kind === 'vote' && !arrow.value ? '' : label(arrow);
  if (text && Math.abs(x2 - x1) > 30) {
    // Near the head: the arrows of one broadcast leave one point and part on their way.
    const back = Math.min(length * 0.5, plan.lane > 110 ? 54 : 26);
    group.append(svg('text', { x: round(x2 - ux * back), y: round(y2 - uy * back - 3.5), 'text-anchor': 'middle' }, plan.lane > 110 ? text : text.replace('✓ none', '✓–').replace(/ /g, '')));
  }
  return { element: group, ends };
}

const NOTES = {
  drew: 'draws', copied: 'copies', adopted: 'adopts', voted: 'votes', decided: 'decides', learned: 'learns',
  was_reset: 'reset', booted: 'restarted', restored: 'kept', joined_as_learner: 'learner', contradicted: 'contradicted', disagreed: 'disagreement!',
};

export function markShape(mark, index, step, plan) {
  const [cx, cy] = [plan.x(step.lane), step.first + index * plan.mark];
  const group = svg('g', { class: `mark m-${mark.kind} ${hue(mark.value)}`, 'data-kind': mark.kind, transform: `translate(${round(cx)} ${round(cy)})` });
  const valued = mark.value !== undefined;
  switch (mark.kind) {
    case 'drew': group.append(svg('circle', { r: 9.5 })); break;
    case 'copied': group.append(svg('circle', { r: 9.5, 'stroke-dasharray': '3 2.4' })); break;
    case 'adopted': group.append(svg('circle', { r: 10.5, class: 'ring' }), svg('circle', { r: 7.8 })); break;
    case 'voted': group.append(svg('path', { d: 'M0 -11.5L11.5 0L0 11.5L-11.5 0Z' })); break;
    case 'decided': group.append(svg('rect', { x: -11.5, y: -11, width: 23, height: 22, rx: 6 })); break;
    case 'learned': group.append(svg('rect', { x: -10.5, y: -10, width: 21, height: 20, rx: 6 })); break;
    default: group.append(svg('circle', { r: 5 }));
  }
  if (mark.kind === 'voted' || valued) group.append(svg('text', { class: 'value', y: 4, 'text-anchor': 'middle' }, valued ? String(mark.value) : '–'));
  if (plan.lane >= 120 || !(valued || mark.kind === 'voted')) {
    group.append(svg('text', { class: 'note', x: 17, y: 4 }, NOTES[mark.kind]));
  }
  return { element: group, x: cx, y: cy };
}

/** Folded rounds: each a line, each lane's value its colour; agreement grows as colours do. */
export function foldShape(fold, plan, lanes) {
  const count = fold.to - fold.from + 1;
  const words = `Rounds ${fold.from.toLocaleString('en')} to ${fold.to.toLocaleString('en')}: ${plural(count, 'undecided round')} folded`;
  const group = svg('g', { class: 'fold', tabindex: 0, role: 'button', 'aria-label': `${words}. Opens ten of them.` });
  const top = fold.y + 36;
  const height = fold.height - 44;
  group.append(svg('rect', { class: 'paper', x: 4, y: fold.y, width: plan.width - 8, height: fold.height, rx: 8 }));
  group.append(svg('text', { class: 'fold-title', x: 16, y: fold.y + 22 }, plan.narrow ? `${fold.from}–${fold.to} folded` : `${words} · select a place to open ten`));
  const paths = new Map();
  const line = height / count;
  const width = Math.min(34, plan.lane * 0.6);
  for (const round_ of fold.rounds) {
    round_.values.forEach((value, lane) => {
      if (!value) return;
      const y = top + (round_.round - fold.from) * line;
      const key = hue(value);
      paths.set(key, `${paths.get(key) ?? ''}M${round(plan.x(lane) - width / 2)} ${y.toFixed(2)}h${round(width)}v${Math.max(0.35, line - (line > 3 ? 0.6 : 0)).toFixed(2)}h${round(-width)}z`);
    });
  }
  for (const [key, d] of paths) group.append(svg('path', { class: `strip ${key}`, d }));
  return { element: group, roundAt: (y) => Math.min(fold.to, Math.max(fold.from, fold.from + Math.floor((y - top) / line))), lanes };
}

export function backdrop(plan, model) {
  const parts = [];
  plan.bands.forEach((band, index) => {
    parts.push(svg('rect', { class: index % 2 ? 'band odd' : 'band', x: 0, y: round(band.y), width: plan.width, height: round(Math.max(0, band.height)) }));
    parts.push(svg('text', { class: 'round', x: 6, y: round(band.y + 15) }, plan.narrow ? `R${band.round}` : `Round ${band.round}`));
  });
  for (let lane = 0; lane < model.lanes.length; lane++) parts.push(...laneLine(lane, plan, model));
  for (const pause of plan.pauses) {
    parts.push(svg('g', { class: 'pause', transform: `translate(0 ${round(pause.y)})` },
      svg('path', { d: `M${plan.gutter - 8} 0H${round(plan.width - 8)}` }),
      svg('text', { x: plan.narrow ? 2 : 6, y: 4 }, `${plan.narrow ? '' : '⋯ '}${duration(pause.ms)}`)));
  }
  return svg('g', { class: 'backdrop' }, parts);
}

/** A lane is faint before its agent joins, solid while it takes part, dashed while it gives no sign of life. */
function laneLine(lane, plan, model) {
  const x = round(plan.x(lane));
  const steps = model.steps.filter((step) => step.lane === lane);
  const joined = steps.find((step) => step.joins || step.marks.length);
  const decided = steps.find((step) => step.marks.some((mark) => mark.kind === 'decided' || mark.kind === 'learned'));
  const bottom = plan.height - 8;
  const parts = [svg('path', { class: 'lane', d: `M${x} 4V${round(joined?.y ?? bottom)}` })];
  if (joined) parts.push(svg('path', { class: 'lane on', d: `M${x} ${round(joined.y)}V${round(decided?.out ?? bottom)}` }));
  if (decided) parts.push(svg('path', { class: 'lane done', d: `M${x} ${round(decided.out)}V${bottom}` }));
  for (const silence of model.timeline.silences.filter((found) => found.lane === lane)) {
    const y1 = yAt(silence.from, model.steps, 4);
    const y2 = silence.to === undefined ? bottom : yAt(silence.to, model.steps, bottom);
    parts.push(svg('path', { class: 'lane gap', d: `M${x} ${round(y1)}V${round(y2)}` }));
    parts.push(svg('text', { class: 'silent', x: x + 8, y: round(Math.min(y2 - 6, y1 + 30)) }, 'silent'));
  }
  return parts;
}

function yAt(t, steps, fallback) {
  const step = steps.find((candidate) => candidate.t >= t - 1e-6);
  return step ? step.y : fallback;
}

const round = (number) => Math.round(number * 10) / 10;
