// Files of runs: what Share saves as JSON, and what conform --timeline FILE writes.

const VERSION = 2;
const LISTS = ['lanes', 'events', 'messages', 'rounds', 'folded', 'unresponsive'];
const TIMES = ['sent', 'received', 'answered', 'lost_at'];

/** What version 1 called what is renamed since. */
const RENAMED = { t: 'at_ms', part: 'role', news: 'piggybacked', guessed: 'estimated', silences: 'unresponsive' };

/** A file that holds no run. Its message says what is wrong with it. */
export class RunFileError extends Error {}

/** Gives a value of a file of version 1 its new names. It is for JSON.parse, which goes through all values. */
const renamed = (_, value) => value === null || typeof value !== 'object' || Array.isArray(value) ? value
  : Object.fromEntries(Object.entries(value).map(([name, item]) => [RENAMED[name] ?? name, item]));

/** Reads the text of a file. Throws a RunFileError unless every part can be drawn. */
export function readRun(text) {
  const fail = (reason) => { throw new RunFileError(reason); };
  let run;
  try {
    run = JSON.parse(text);
  } catch {
    fail('it is not JSON');
  }
  if (run === null || typeof run !== 'object' || Array.isArray(run)) fail('it holds no run');
  if ((run.version ?? 1) === 1) run = { ...JSON.parse(text, renamed), version: VERSION };
  if (run.version !== VERSION) fail(`its version is ${run.version}, and this page reads version ${VERSION}`);
  for (const name of LISTS) {
    const isList = Array.isArray(run[name]) && run[name].every((item) => item !== null && typeof item === 'object');
    if (!isList) fail(`it has no list “${name}”`);
  }

  const isTime = (value) => Number.isFinite(value);
  const isLane = (value) => Number.isInteger(value) && value >= 0 && value < run.lanes.length;
  const isValue = (value) => value === undefined || value === null || Number.isInteger(value);
  if (run.lanes.some(({ agent_id: id }) => typeof id !== 'string' || !id)) fail('an agent has no id');
  if (run.lanes.some(({ value, round }) => !isValue(value) || !isValue(round))) fail('a decision is not a number');
  for (const { at_ms: at, lane, kind, value, round } of run.events) {
    if (!isTime(at)) fail('the time of an event is not a number');
    if (!isLane(lane)) fail('an event names no agent of the run');
    if (typeof kind !== 'string' || !isValue(value) || !isValue(round)) fail('an event has no kind, value or round that can be drawn');
  }
  for (const message of run.messages) {
    if (TIMES.some((name) => message[name] !== undefined && !isTime(message[name])) || !isTime(message.sent)) {
      fail('the time of a message is not a number');
    }
    if (![message.from, message.to].every((lane) => lane === -1 || isLane(lane))) fail('a message names no agent of the run');
    if (message.received < message.sent) fail('a message arrives before it is sent');
    if (message.answered < (message.received ?? message.sent)) fail('a response comes before its request');
    if (typeof message.kind !== 'string' || !isValue(message.value) || !isValue(message.round)) {
      fail('a message has no kind, value or round that can be drawn');
    }
    if (message.piggybacked && (message.answered === undefined || typeof message.piggybacked.kind !== 'string')) {
      fail('a response has no time or no kind');
    }
  }
  if (run.rounds.some(({ round, at_ms: at, values }) => !Number.isInteger(round) || !isTime(at) || !Array.isArray(values))) {
    fail('a round has no number, time or values');
  }
  if (run.folded.some(({ from, to }) => !Number.isInteger(from) || !Number.isInteger(to) || to < from)) {
    fail('a range of folded rounds is no range');
  }
  const { states = [], texts = [], verdict } = run;
  if (!Array.isArray(states) || states.some((state) =>
    !isTime(state?.at_ms) || !isLane(state.lane) || !isValue(state.round) || !isValue(state.value) || !isValue(state.decision?.value))) {
    fail('the state of an agent has no time, agent or value that can be drawn');
  }
  if (!Array.isArray(texts) || texts.some((words) => typeof words !== 'string')
    || !['undefined', 'string'].includes(typeof verdict?.text)) {
    fail('its words are no text');
  }
  if (run.unresponsive.some(({ lane, from, to }) => !isLane(lane) || !isTime(from) || !(to === undefined || isTime(to)))) {
    fail('an unresponsive period has no agent or no time');
  }
  return run;
}
