// Where everything goes. Time runs down; a moment that is later is never drawn higher. Gaps are compressed (a window of
// 200 ms beside messages of 200 µs), and each arrow slants down far enough to be seen as one.

export const TOP = 18;

/** The width of a digit of a value, in pixels. */
export const DIGIT = 7.2;

const MARK = 24;
const STEP = 9;
const SLANT = 15;
const PAUSE_MS = 40;

const FOLD = (rounds) => 44 + Math.min(180, Math.max(18, rounds * 2));

export function layout(model, { width, zoom }) {
  const { timeline, lanes, steps } = model;
  const narrow = width < 560;
  const gutter = narrow ? 34 : 64;

  // Every value fits into its lane: what would be clipped could be mistaken for another value.
  const longest = Math.max(1, ...model.values.map((value) => String(value).length));
  const least = Math.max(narrow ? 44 : 62, longest * DIGIT + 24);
  const lane = Math.max(least, (width - gutter - (narrow ? 4 : 12)) / Math.max(1, lanes.length)) * Math.max(1, zoom);
  const x = (index) => gutter + lane * (index + 0.5);
  const dense = lanes.length > 5 ? 0.55 : 1;
  const last = lanes.map(() => ({ y: TOP - STEP }));
  const pauses = [];
  const folds = foldsOf(timeline);
  let pending = 0;
  let y = TOP;
  let previous = null;

  for (const step of steps) {
    // The fold lies before the first step of the round that follows it.
    while (pending < folds.length && step.t >= folds[pending].until) {
      const fold = folds[pending++];
      const bottom = Math.max(y, ...last.map((end) => end.y));
      fold.y = bottom + 18;
      fold.height = FOLD(fold.to - fold.from + 1);
      y = fold.y + fold.height + 20;
      previous = null;
    }

    const passed = previous === null ? 0 : step.t - previous.t;
    let next = y + (previous === null ? 0 : zoom * dense * 5 * Math.log10(1 + passed / 0.03));
    next = Math.max(next, last[step.lane].y + STEP * zoom * dense);
    for (const arrow of step.received) if (arrow.from) next = Math.max(next, arrow.from.out + SLANT * zoom * (dense + 1) / 2);
    for (const arrow of step.told) next = Math.max(next, arrow.from.out + SLANT * zoom * dense * 0.7);
    if (passed > PAUSE_MS) {
      const bottom = Math.max(y, ...last.map((end) => end.y));
      next = Math.max(next, bottom + 44);
      pauses.push({ y: (bottom + next) / 2, ms: passed });
    }

    step.y = y = next;
    step.first = step.y + (step.marks.length ? MARK / 2 + 1 : 0);
    step.out = step.marks.length ? step.y + step.marks.length * MARK + 2 : step.y;
    last[step.lane] = { y: step.out };
    previous = step;
  }

  const height = Math.max(y, ...last.map((end) => end.y)) + 34;
  return { x, lane, gutter, narrow, height, width: gutter + lane * lanes.length + (narrow ? 4 : 12), pauses, folds: folds.slice(0, pending), bands: bandsOf(model, height), least, mark: MARK };
}

function foldsOf({ folded, rounds }) {
  const entered = new Map(rounds.map((round) => [round.round, round.t]));
  return folded.map(({ from, to }) => ({ from, to, until: entered.get(to + 1) ?? Infinity, rounds: rounds.filter((round) => round.round >= from && round.round <= to) }));
}

/** Rounds as bands: from the first agent that enters to the next round's. */
function bandsOf({ steps }, height) {
  const bands = [];
  let highest = 0;
  for (const step of steps) {
    const entry = step.marks.find((mark) => mark.round > highest && (mark.kind === 'drew' || mark.kind === 'copied' || mark.kind === 'adopted'));
    if (!entry) continue;
    highest = entry.round;
    bands.push({ round: entry.round, y: step.y - 8 });
  }
  bands.forEach((band, index) => { band.height = (bands[index + 1]?.y ?? height) - band.y; });
  return bands;
}
