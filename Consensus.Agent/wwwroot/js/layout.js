// Computes the position of everything in the diagram. Time runs down, and a later event is never above an earlier one. Gaps
// are compressed: a window takes 200 ms, and a message 200 µs. Each arrow slants enough to be visible as an arrow.

export const TOP = 18;

/** The width of a digit of a value, in pixels. */
export const DIGIT_WIDTH = 8.2;

const MARK = 24;
const STEP = 9;
const SLANT = 15;
const PAUSE_MS = 40;
const TOKEN = 32;

const foldHeight = (rounds) => 44 + Math.min(180, Math.max(18, rounds * 2));

/** @param {{lane: number}[]} tokens messages in flight; they wait in their receivers' lanes, below all steps */
export function layout(model, { width, zoom, tokens = [] }) {
  const { timeline, lanes, steps } = model;
  const narrow = width < 560;
  const gutter = narrow ? 34 : 64;

  // Every value fits into its lane: a clipped value could be mistaken for another value.
  const longest = Math.max(1, ...model.values.map((value) => String(value).length));
  const minLane = Math.max(narrow ? 44 : 62, longest * DIGIT_WIDTH + 24);
  const lane = Math.max(minLane, (width - gutter - (narrow ? 4 : 12)) / Math.max(1, lanes.length)) * Math.max(1, zoom);
  const x = (index) => gutter + lane * (index + 0.5);
  const density = lanes.length > 5 ? 0.55 : 1;
  const laneBottoms = lanes.map(() => TOP - STEP);
  const pauses = [];
  const folds = foldsOf(timeline);
  let nextFold = 0;
  let y = TOP;
  let previous = null;

  for (const step of steps) {
    // A fold precedes the first step of the next round.
    while (nextFold < folds.length && step.t >= folds[nextFold].until) {
      const fold = folds[nextFold++];
      fold.y = Math.max(y, ...laneBottoms) + 18;
      fold.height = foldHeight(fold.to - fold.from + 1);
      y = fold.y + fold.height + 20;
      previous = null;
    }

    const elapsed = previous === null ? 0 : step.t - previous.t;
    let next = y + (previous === null ? 0 : zoom * density * 5 * Math.log10(1 + elapsed / 0.03));
    next = Math.max(next, laneBottoms[step.lane] + STEP * zoom * density);
    for (const arrow of step.received) if (arrow.from) next = Math.max(next, arrow.from.bottom + SLANT * zoom * (density + 1) / 2);
    for (const arrow of step.responses) next = Math.max(next, arrow.from.bottom + SLANT * zoom * density * 0.7);
    if (elapsed > PAUSE_MS) {
      const bottom = Math.max(y, ...laneBottoms);
      next = Math.max(next, bottom + 44);
      pauses.push({ y: (bottom + next) / 2, ms: elapsed });
    }

    step.y = y = next;
    step.firstMark = step.y + (step.marks.length ? MARK / 2 + 1 : 0);
    step.bottom = step.marks.length ? step.y + step.marks.length * MARK + 2 : step.y;
    laneBottoms[step.lane] = step.bottom;
    previous = step;
  }

  const end = Math.max(y, ...laneBottoms);
  const stacks = lanes.map(() => 0);
  const placed = tokens.map((token) => ({ ...token, x: x(token.lane), y: end + 46 + TOKEN * stacks[token.lane]++ }));
  const height = end + 34 + (tokens.length ? 24 : 0) + TOKEN * Math.max(0, ...stacks);
  return {
    x, lane, tokens: placed, ends: laneBottoms, gutter, narrow, height, width: gutter + lane * lanes.length + (narrow ? 4 : 12), pauses,
    folds: folds.slice(0, nextFold), ...bandsOf(model, height), mark: MARK,
  };
}

function foldsOf({ folded, rounds }) {
  const entered = new Map(rounds.map((round) => [round.round, round.t]));
  return folded.map(({ from, to }) => ({ from, to, until: entered.get(to + 1) ?? Infinity, rounds: rounds.filter((round) => round.round >= from && round.round <= to) }));
}

/** A band for each round in each lane, and one label for each round, beside the first lane that enters it. */
function bandsOf({ spans }, height) {
  const rounds = new Map();
  const runs = new Set();
  const bands = spans.flatMap((ofLane, lane) => ofLane.map(({ step, run, round }, index) =>
    ({ run, round, lane, y: step.y - 8, end: (ofLane[index + 1]?.step.y ?? height + 8) - 8 }))).filter(({ round }) => round).sort((a, b) => a.y - b.y);
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
