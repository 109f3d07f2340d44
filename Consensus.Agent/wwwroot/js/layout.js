// Computes the position of everything in the diagram. Time runs down, and a later event is never above an earlier one. Gaps
// are compressed: a window takes 200 ms, and a message 200 µs. Each arrow slants enough to be visible as an arrow.

import { stepsByTime } from './timeline-model.js';

const TOP = 18;

/** The width of a digit of a value, in pixels. */
export const DIGIT_WIDTH = 8.2;

const MARK = 24;
const STEP = 9;
const SLANT = 15;
const PAUSE_MS = 40;
const TOKEN = 32;

const foldHeight = (rounds) => 44 + Math.min(180, Math.max(18, rounds * 2));

/**
 * @param {object[]} [beside] models of the pictures beside this one: equal times are at equal heights
 * @param {{lane: number}[]} tokens messages in flight; they wait in their receivers' lanes, below all steps
 */
export function layout(model, { width, zoom, beside = [], tokens = [] }) {
  const { lanes } = model;
  const narrow = width < 560;
  const gutter = narrow ? 34 : 64;

  // Every value fits into its lane: a clipped value could be mistaken for another value.
  const longest = Math.max(1, ...model.values.map((value) => String(value).length));
  const minLane = Math.max(narrow ? 44 : 62, longest * DIGIT_WIDTH + 24);
  const lane = Math.max(minLane, (width - gutter - (narrow ? 4 : 12)) / Math.max(1, lanes.length)) * Math.max(1, zoom);
  const x = (index) => gutter + lane * (index + 0.5);
  const { end, pauses, folds } = placeSteps([model, ...beside], zoom);
  const stacks = lanes.map(() => 0);
  const placed = tokens.map((token) => ({ ...token, x: x(token.lane), y: end + 46 + TOKEN * stacks[token.lane]++ }));
  const height = end + 34 + (tokens.length ? 24 : 0) + TOKEN * Math.max(0, ...stacks);
  return {
    x, lane, tokens: placed, gutter, narrow, height, width: gutter + lane * lanes.length + (narrow ? 4 : 12), pauses, folds,
    ...bandsOf(model, height), mark: MARK,
  };
}

/** Places the steps of models in the order of their times. A row holds all steps of one time, also those of other models. */
function placeSteps(models, zoom) {
  const density = models[0].lanes.length > 5 ? 0.55 : 1;
  const bottoms = new Map(models.map((model) => [model, model.lanes.map(() => TOP - STEP)]));
  const lowest = (y) => Math.max(y, ...[...bottoms.values()].flat());
  const pauses = [];
  const folds = foldsOf(models[0].timeline);
  let nextFold = 0;
  let y = TOP;
  let previous = null;

  for (const [t, together] of stepsByTime(models)) {
    const row = Map.groupBy(together, ({ model }) => model);

    // A fold precedes the first step of the next round.
    while (nextFold < folds.length && t >= folds[nextFold].until) {
      const fold = folds[nextFold++];
      fold.y = lowest(y) + 18;
      fold.height = foldHeight(fold.to - fold.from + 1);
      y = fold.y + fold.height + 20;
      previous = null;
    }

    const elapsed = previous === null ? 0 : t - previous;
    const least = (step, from) => Math.max(from, bottoms.get(step.model)[step.lane] + STEP * zoom * density,
      ...step.received.filter((arrow) => arrow.from).map((arrow) => arrow.from.bottom + SLANT * zoom * (density + 1) / 2),
      ...step.responses.map((arrow) => arrow.from.bottom + SLANT * zoom * density * 0.7));
    let start = y + (previous === null ? 0 : zoom * density * 5 * Math.log10(1 + elapsed / 0.03));
    for (const [first] of row.values()) start = least(first, start);
    if (elapsed > PAUSE_MS) {
      const bottom = lowest(y);
      start = Math.max(start, bottom + 44);
      pauses.push({ y: (bottom + start) / 2, ms: elapsed });
    }

    for (const steps of row.values()) {
      let next = start;
      for (const step of steps) {
        step.y = next = least(step, next);
        step.firstMark = step.y + (step.marks.length ? MARK / 2 + 1 : 0);
        step.bottom = step.marks.length ? step.y + step.marks.length * MARK + 2 : step.y;
        bottoms.get(step.model)[step.lane] = step.bottom;
      }
      y = Math.max(y, next);
    }
    previous = t;
  }
  return { end: lowest(y), pauses, folds: folds.slice(0, nextFold) };
}

function foldsOf({ folded, rounds }) {
  const entered = new Map(rounds.map((round) => [round.round, round.at_ms]));
  return folded.map(({ from, to }) =>
    ({ from, to, until: entered.get(to + 1) ?? Infinity, rounds: rounds.filter((round) => round.round >= from && round.round <= to) }));
}

/** A band for each round in each lane, and one label for each round, beside the first lane that enters it. */
function bandsOf({ spans }, height) {
  const rounds = new Map();
  const runs = new Set();
  const bands = spans.flatMap((ofLane, lane) => ofLane.map(({ step, run, round }, index) =>
    ({ run, round, lane, y: step.y - 8, end: (ofLane[index + 1]?.step.y ?? height + 8) - 8 })))
    .filter(({ round }) => round).sort((a, b) => a.y - b.y);
  let free = 0;
  for (const band of bands) {
    const key = `${band.run} ${band.round}`;
    runs.add(band.run);
    if (!rounds.has(key)) {
      const y = Math.max(band.y + 15, free);
      rounds.set(key, { round: band.round, run: runs.size, y, number: rounds.size });
      free = y + 26;
    }
    band.odd = rounds.get(key).number % 2 === 1;
  }
  return { bands, labels: [...rounds.values()].map(({ round, run, y }) => ({ round, y, run: runs.size > 1 ? run : undefined })) };
}
