// The SVG elements of arrows, marks, folds and the background. The layout gives the geometry, the style sheet the colours.

import { svg, valueClass } from './dom.js';
import { arrowLabel, duration, plural } from './format.js';
import { DIGIT_WIDTH } from './layout.js';
import { NOTES } from './vocabulary.js';

const HEAD = 6;

/**
 * The two ends of an arrow in pixels. An arrow of a lost message ends before the receiver's lane.
 * One in flight ends at the end of the picture.
 */
export function endsOf(arrow, plan) {
  const { from, to, message } = arrow;
  const [fromLane, toLane] = arrow.response ? [message.to, message.from] : [message.from, message.to];
  const x1 = fromLane < 0 ? plan.x(toLane) - Math.min(46, plan.lane * 0.45) : plan.x(fromLane);
  const y1 = from ? from.bottom : to.y - 12;
  if (to) {
    const x2 = plan.x(to.lane);
    return { x1, y1, x2: x2 - Math.sign(x2 - x1) * 2.5, y2: to.y };
  }
  const token = plan.tokens.find(({ id, response }) => id === message.id && !response);
  if (token) return { x1, y1, x2: token.x - Math.sign(token.x - x1) * 4, y2: token.y - 14, token };
  const target = toLane < 0 ? x1 + plan.lane * 0.4 : plan.x(toLane);
  if (arrow.state !== 'lost' && toLane >= 0) {
    return { x1, y1, x2: target - Math.sign(target - x1) * 4, y2: Math.max(y1 + 13, plan.height - 14) };
  }
  return { x1, y1, x2: x1 + (target - x1) * 0.72, y2: y1 + 13 };
}

const MAX_ARROW = 1500;

/** Splits a very long arrow: only its start and its end are drawn, since nobody can follow it over many screens. */
export function partsOf(ends) {
  const { x1, y1, x2, y2 } = ends;
  if (y2 - y1 < MAX_ARROW) return [ends];
  const dx = Math.sign(x2 - x1) * Math.min(44, Math.abs(x2 - x1) * 0.45);
  return [{ x1, y1, x2: x1 + dx, y2: y1 + 26, part: 'start' }, { x1: x2 - dx, y1: y2 - 26, x2, y2, part: 'end' }];
}

/** A label as it fits between the lanes. */
export const shortLabel = (label, plan) => plan.lane > 110 ? label : label.replace('✓ none', '✓–').replace('round', 'r').replace(/ /g, '');

/** The way of a response in flight, from the step that received its request. */
export function pendingShape({ from, kind, x, y }, request, plan) {
  const x1 = plan.x(from);
  const d = `M${round(x1)} ${round(request.to.bottom)}L${round(x - Math.sign(x - x1) * 4)} ${round(y - 14)}`;
  return svg('path', { class: `pending k-${kind}`, d });
}

/** @param {LabelPlacement} labels places the arrow's label */
export function arrowShape(arrow, ends, plan, labels) {
  const { x1, y1, x2, y2 } = ends;
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  let d = `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`;
  if (arrow.state === 'delivered' && ends.part !== 'start') {
    const head = arrow.response ? HEAD * 0.8 : HEAD;
    for (const side of [1, -1]) {
      const [dx, dy] = [round(-ux * head - side * uy * head * 0.55), round(-uy * head + side * ux * head * 0.55)];
      d += `M${round(x2)} ${round(y2)}l${dx} ${dy}`;
    }
  }

  const also = `${arrow.response ? ' response' : ''}${arrow.deciding ? ' deciding' : ''} ${ends.part ?? ''}`;
  const group = svg('g', {
    class: `arrow k-${arrow.kind} ${arrow.state}${also}`, 'data-kind': arrow.kind, 'data-state': arrow.state,
  });
  group.append(svg('path', { d }));
  if (arrow.state === 'lost') group.append(svg('path', { class: 'cross', d: `M${round(x2 - 4.5)} ${round(y2 - 4.5)}l9 9m0 -9l-9 9` }));

  // Between narrow lanes, votes for none have no label: their colour suffices.
  const full = plan.lane < 110 && arrow.kind === 'vote' && !arrow.value ? '' : arrowLabel(arrow);
  const short = shortLabel(full, plan);
  const place = short && !ends.token && ends.part !== 'start' && Math.abs(x2 - x1) > 30 ? labels.place(short, ends) : null;
  return {
    element: group,
    text: place && svg('text', { class: `label k-${arrow.kind}`, x: round(place.x), y: round(place.y), 'text-anchor': 'middle' }, short),
  };
}

const NOTE_LETTER = 7.3;

/** "2 of 3 votes", without the names of the agents. */
const votesOf = ({ support }) => support?.split(':')[0];

/** The note beside a mark. A decision also counts its votes if the lane is wide enough. */
const noteOf = (mark, plan) => [`decides: ${votesOf(mark)}`, `decides: ${votesOf(mark)?.replace(/ \w+$/, '')}`]
  .find((note) => mark.support && 24 + note.length * NOTE_LETTER < plan.lane / 2) ?? NOTES[mark.kind];

const valueText = ({ value }) => value === undefined ? '–' : String(value);

const KINDS_WITH_VALUE = new Set(['drew', 'copied', 'adopted', 'voted', 'decided', 'learned', 'restored']);
const hasValue = ({ kind, value }) => KINDS_WITH_VALUE.has(kind) && (value !== undefined || kind === 'voted');
const hasNote = (mark, plan) => plan.lane >= 120 || !hasValue(mark);
const centre = (index, step, plan) => [plan.x(step.lane), step.firstMark + index * plan.mark];

/** Half the width of a mark: more digits make it wider. */
const halfWidth = (mark) =>
  hasValue(mark) ? 10 + Math.max(0, valueText(mark).length - 2) * DIGIT_WIDTH / 2 + (valueText(mark).length > 1 ? 3 : 0) : 5;

/** The box that a mark and its note cover. */
export function markBox(mark, index, step, plan) {
  const [cx, cy] = centre(index, step, plan);
  const half = halfWidth(mark);
  return {
    left: cx - half, right: cx + half + (hasNote(mark, plan) ? 7 + NOTE_LETTER * (noteOf(mark, plan)?.length ?? 0) : 0),
    top: cy - 11, bottom: cy + 11,
  };
}

/** The outline of a mark. Each kind of event has its own outline. */
export function markOutline(mark) {
  const half = halfWidth(mark);
  const pill = (margin, attributes) => svg(
    'rect', { x: -half - margin, y: -9.5 - margin, width: 2 * (half + margin), height: 19 + 2 * margin, rx: 9.5 + margin, ...attributes });
  switch (hasValue(mark) ? mark.kind : '') {
    case 'drew': return [pill(0)];
    case 'copied': return [pill(0, { 'stroke-dasharray': '3 2.4' })];
    case 'adopted': return [pill(1, { class: 'ring' }), pill(-1.7)];
    case 'voted': return [svg('path', {
      d: `M${10 - half} -11.5H${half - 10}L${half + 1.5} 0L${half - 10} 11.5H${10 - half}L${-half - 1.5} 0Z`,
    })];
    case 'decided': return [svg('rect', { x: -half - 1.5, y: -11, width: 2 * half + 3, height: 22, rx: 6 })];
    case 'learned': case 'restored': return [svg('rect', { x: -half - 0.5, y: -10, width: 2 * half + 1, height: 20, rx: 6 })];
    default: return [svg('circle', { r: 5 })];
  }
}

export function markShape(mark, index, step, plan) {
  const [cx, cy] = centre(index, step, plan);
  const group = svg('g', {
    class: `mark m-${mark.kind} ${valueClass(mark.value)}`, 'data-kind': mark.kind,
    transform: `translate(${round(cx)} ${round(cy)})`,
  }, markOutline(mark));
  if (hasValue(mark)) group.append(svg('text', { class: 'value', y: 4, 'text-anchor': 'middle' }, valueText(mark)));
  if (hasNote(mark, plan)) group.append(svg('text', { class: 'note', x: round(halfWidth(mark) + 7), y: 4 }, noteOf(mark, plan)));
  return group;
}

/** A fold of many rounds: one line a round, coloured by each agent's value. */
export function foldShape(fold, plan) {
  const count = fold.to - fold.from + 1;
  const title = `Rounds ${fold.from.toLocaleString('en')} to ${fold.to.toLocaleString('en')}: ${plural(count, 'undecided round')} folded`;
  const group = svg('g', { class: 'fold', tabindex: 0, role: 'button', 'aria-label': `${title}. Opens ten of them.` });
  const top = fold.y + 36;
  const height = fold.height - 44;
  group.append(svg('rect', { class: 'fold-box', x: 4, y: fold.y, width: plan.width - 8, height: fold.height, rx: 8 }));
  group.append(svg('text', { class: 'fold-title', x: 16, y: fold.y + 22 },
    plan.narrow ? `${fold.from}–${fold.to} folded` : `${title} · select a place to open ten`));
  const paths = new Map();

  // A line is at least one pixel high. With more rounds than pixels, only some rounds are drawn.
  const rows = Math.min(count, Math.floor(height));
  const line = height / rows;
  const width = Math.min(34, plan.lane * 0.6);
  const thickness = (line - (line > 3 ? 0.6 : 0)).toFixed(2);
  const byRound = new Map(fold.rounds.map((entry) => [entry.round, entry.values]));
  for (let row = 0; row < rows; row++) {
    const y = (top + row * line).toFixed(2);
    (byRound.get(fold.from + Math.floor(row * count / rows)) ?? []).forEach((value, lane) => {
      if (!value) return;
      const key = valueClass(value);
      paths.set(key, `${paths.get(key) ?? ''}M${round(plan.x(lane) - width / 2)} ${y}h${round(width)}v${thickness}h${round(-width)}z`);
    });
  }
  for (const [key, d] of paths) group.append(svg('path', { class: `fold-line ${key}`, d }));
  return { element: group, roundAt: (y) => Math.min(fold.to, Math.max(fold.from, fold.from + Math.floor((y - top) * count / height))) };
}

/** The bands of the rounds, the lanes of the agents, and the pauses. */
export function background(plan, model) {
  const parts = [];
  for (const { lane, y, end, odd } of plan.bands) {
    // The first lane's bands reach below the names of the rounds.
    const left = lane ? plan.x(lane) - plan.lane / 2 : 0;
    const right = lane === model.lanes.length - 1 ? plan.width : plan.x(lane) + plan.lane / 2;
    const height = round(Math.max(0, end - y));
    parts.push(svg('rect',
      { class: odd ? 'band odd' : 'band', x: round(left), y: round(y), width: round(right - left), height, 'data-lane': lane }));
  }
  for (const label of plan.labels) {
    const run = label.run && svg('tspan', { x: 6, dy: 12 }, plan.narrow ? `run ${label.run}` : `Run ${label.run}`);
    const text = plan.narrow ? `R${label.round}` : `Round ${label.round}`;
    parts.push(svg('text', { class: 'round', x: 6, y: round(label.y) }, text, run));
  }
  for (let lane = 0; lane < model.lanes.length; lane++) parts.push(...laneLine(lane, plan, model));
  for (const pause of plan.pauses) {
    parts.push(svg('g', { class: 'pause', transform: `translate(0 ${round(pause.y)})` },
      svg('path', { d: `M${plan.gutter - 8} 0H${round(plan.width - 8)}` }),
      svg('text', { x: plan.narrow ? 2 : 6, y: 4 }, `${plan.narrow ? '' : '⋯ '}${duration(pause.ms)}`)));
  }
  if (model.onlyValue) parts.push(onlyValueLine(plan, model));
  return svg('g', { class: 'background' }, parts);
}

/** The line across the lanes from which on only one value was possible. */
export function onlyValueLine(plan, { onlyValue: { at_ms: t, value }, steps }) {
  const y = Math.max(8, ...steps.filter((step) => step.at_ms <= t + 0.002).map(({ bottom }) => bottom + 5));
  return svg('g', { class: `only-value ${valueClass(value)}`, transform: `translate(0 ${round(y)})` },
    svg('path', { d: `M${plan.gutter - 8} 0H${round(plan.width - 4)}` }),
    svg('text', { x: round(plan.width - 6), y: 14, 'text-anchor': 'end' }, `from here on only ${value}`));
}

/** The line of a lane: faint without a run, solid in a run, coloured with a decision, dashed while the agent does not respond. */
function laneLine(lane, plan, model) {
  const x = round(plan.x(lane));
  const bottom = plan.height - 8;
  const startOf = ({ line, step }) => round(line === 'decided' ? step.bottom : step.y);
  const own = model.spans[lane];
  const parts = [svg('path', { class: 'lane', d: `M${x} 4V${own.length ? startOf(own[0]) : bottom}` })];

  // Narrow pictures end close to the last lane.
  const isAtEdge = plan.narrow && lane === model.timeline.lanes.length - 1;
  own.forEach((span, index) => {
    const end = index < own.length - 1 ? startOf(own[index + 1]) : bottom;
    parts.push(svg('path', { class: `lane ${span.line}`.trim(), d: `M${x} ${startOf(span)}V${end}` }));
  });
  for (const period of model.timeline.unresponsive.filter((found) => found.lane === lane)) {
    const y1 = yAt(period.from, model.steps, 4);
    const y2 = period.to === undefined ? bottom : yAt(period.to, model.steps, bottom);
    parts.push(svg('path', { class: 'lane unresponsive', d: `M${x} ${round(y1)}V${round(y2)}` }));
    parts.push(svg('text', {
      class: 'unresponsive', x: x + (isAtEdge ? -8 : 8), y: round(Math.min(y2 - 6, y1 + 30)), 'text-anchor': isAtEdge ? 'end' : null,
    }, 'no response'));
  }
  return parts;
}

function yAt(t, steps, fallback) {
  const step = steps.find((candidate) => candidate.at_ms >= t - 1e-6);
  return step ? step.y : fallback;
}

const round = (number) => Math.round(number * 10) / 10;
