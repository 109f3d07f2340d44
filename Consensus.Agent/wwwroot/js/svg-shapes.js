// The SVG of one arrow, one mark, one fold. Geometry comes from the layout; colours from the style sheet by class.

import { duration, hue, plural, svg } from './dom.js';
import { DIGIT } from './layout.js';
import { label } from './format.js';

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
  const part = arrow.state === 'lost' ? 0.72 : 0.6;
  return { x1, y1, x2: x1 + (far - x1) * part, y2: y1 + 13 };
}

const LONG = 1500;

/** An arrow over many screens is drawn where it begins and where it ends: between them nobody could follow it. */
export function partsOf(ends) {
  const { x1, y1, x2, y2 } = ends;
  if (y2 - y1 < LONG) return [ends];
  const aside = Math.sign(x2 - x1) * Math.min(44, Math.abs(x2 - x1) * 0.45);
  return [{ x1, y1, x2: x1 + aside, y2: y1 + 26, part: 'begins' }, { x1: x2 - aside, y1: y2 - 26, x2, y2, part: 'ends' }];
}

/** @param {Labels} labels tells where its label may stand */
export function arrowShape(arrow, ends, plan, labels) {
  const { x1, y1, x2, y2 } = ends;
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  let d = `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`;
  if (arrow.state === 'delivered' && ends.part !== 'begins') {
    const head = arrow.answer ? HEAD * 0.8 : HEAD;
    for (const side of [1, -1]) d += `M${round(x2)} ${round(y2)}l${round(-ux * head - side * uy * head * 0.55)} ${round(-uy * head + side * ux * head * 0.55)}`;
  }

  const group = svg('g', { class: `arrow k-${arrow.kind} ${arrow.state}${arrow.answer ? ' answer' : ''} ${ends.part ?? ''}`, 'data-kind': arrow.kind, 'data-state': arrow.state });
  group.append(svg('path', { d }));
  if (arrow.state === 'lost') group.append(svg('path', { class: 'cross', d: `M${round(x2 - 4.5)} ${round(y2 - 4.5)}l9 9m0 -9l-9 9` }));
  // Among many lanes, votes for none are told by their colour alone.
  const full = plan.lane < 110 && arrow.kind === 'vote' && !arrow.value ? '' : label(arrow);
  const short = plan.lane > 110 ? full : full.replace('✓ none', '✓–').replace('round', 'r').replace(/ /g, '');
  const place = short && ends.part !== 'begins' && Math.abs(x2 - x1) > 30 ? labels.placeFor(short, ends) : null;
  return { element: group, text: place && svg('text', { class: `label k-${arrow.kind}`, x: round(place.x), y: round(place.y), 'text-anchor': 'middle' }, short) };
}

const NOTES = {
  drew: 'draws', copied: 'copies', adopted: 'adopts', voted: 'votes', decided: 'decides', learned: 'learns',
  was_reset: 'reset', booted: 'restarted', restored: 'kept', joined_as_learner: 'learner', contradicted: 'contradicted', disagreed: 'disagreement!',
};

const written = ({ value }) => value === undefined ? '–' : String(value);

const VALUED = new Set(['drew', 'copied', 'adopted', 'voted', 'decided', 'learned', 'restored']);
const isValued = ({ kind, value }) => VALUED.has(kind) && (value !== undefined || kind === 'voted');
const isNoted = (mark, plan) => plan.lane >= 120 || !isValued(mark);
const centre = (index, step, plan) => [plan.x(step.lane), step.first + index * plan.mark];

/** How far a mark reaches to each side of its lane: one digit fits all, more make it wider. */
const reach = (mark) => isValued(mark) ? 10 + Math.max(0, written(mark).length - 2) * DIGIT / 2 + (written(mark).length > 1 ? 3 : 0) : 5;

/** What a mark and its note cover. */
export function markBox(mark, index, step, plan) {
  const [cx, cy] = centre(index, step, plan);
  const half = reach(mark);
  return { left: cx - half, right: cx + half + (isNoted(mark, plan) ? 7 + 6.2 * (NOTES[mark.kind]?.length ?? 0) : 0), top: cy - 11, bottom: cy + 11 };
}

export function markShape(mark, index, step, plan) {
  const [cx, cy] = centre(index, step, plan);
  const half = reach(mark);
  const pill = (by, attributes) => svg('rect', { x: -half - by, y: -9.5 - by, width: 2 * (half + by), height: 19 + 2 * by, rx: 9.5 + by, ...attributes });
  const group = svg('g', { class: `mark m-${mark.kind} ${hue(mark.value)}`, 'data-kind': mark.kind, transform: `translate(${round(cx)} ${round(cy)})` });
  switch (isValued(mark) ? mark.kind : '') {
    case 'drew': group.append(pill(0)); break;
    case 'copied': group.append(pill(0, { 'stroke-dasharray': '3 2.4' })); break;
    case 'adopted': group.append(pill(1, { class: 'ring' }), pill(-1.7)); break;
    case 'voted': group.append(svg('path', { d: `M${10 - half} -11.5H${half - 10}L${half + 1.5} 0L${half - 10} 11.5H${10 - half}L${-half - 1.5} 0Z` })); break;
    case 'decided': group.append(svg('rect', { x: -half - 1.5, y: -11, width: 2 * half + 3, height: 22, rx: 6 })); break;
    case 'learned': case 'restored': group.append(svg('rect', { x: -half - 0.5, y: -10, width: 2 * half + 1, height: 20, rx: 6 })); break;
    default: group.append(svg('circle', { r: 5 }));
  }
  if (isValued(mark)) group.append(svg('text', { class: 'value', y: 4, 'text-anchor': 'middle' }, written(mark)));
  if (isNoted(mark, plan)) group.append(svg('text', { class: 'note', x: round(half + 7), y: 4 }, NOTES[mark.kind]));
  return group;
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

  // A line of a pixel at least: of more rounds than that, only some are drawn.
  const rows = Math.min(count, Math.floor(height));
  const line = height / rows;
  const width = Math.min(34, plan.lane * 0.6);
  const thickness = (line - (line > 3 ? 0.6 : 0)).toFixed(2);
  const byRound = new Map(fold.rounds.map((entry) => [entry.round, entry.values]));
  for (let row = 0; row < rows; row++) {
    const y = (top + row * line).toFixed(2);
    (byRound.get(fold.from + Math.floor(row * count / rows)) ?? []).forEach((value, lane) => {
      if (!value) return;
      const key = hue(value);
      paths.set(key, `${paths.get(key) ?? ''}M${round(plan.x(lane) - width / 2)} ${y}h${round(width)}v${thickness}h${round(-width)}z`);
    });
  }
  for (const [key, d] of paths) group.append(svg('path', { class: `strip ${key}`, d }));
  return { element: group, roundAt: (y) => Math.min(fold.to, Math.max(fold.from, fold.from + Math.floor((y - top) * count / height))), lanes };
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
