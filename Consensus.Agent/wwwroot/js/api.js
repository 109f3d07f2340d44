// HTTP calls of the page. The page calls only the agent that served it; that agent queries the others.

import { afterPress } from './dom.js';
import { keyHeader } from './key.js';

// A busy agent answers 503. A read is then sent again, up to this often.
const MAX_TRIES = 6;

/** An error response of the agent. Its message states the remedy. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The text that the page shows for a failed call. */
export const errorText = (problem) => problem instanceof Problem ? problem.message : 'The agent does not respond.';

/** Whether a call failed: with an error response, without one, or for its time. Other errors are faults of the page. */
export const isFailedCall = (problem) =>
  problem instanceof Problem || problem instanceof TypeError || ['TimeoutError', 'AbortError'].includes(problem.name);

export const NO_RESPONSE = 'The agent does not respond; trying again…';

let waiting = 0;
let onWait = () => {};

/** @param {(text: string) => void} listener receives why a call waits, and '' when none waits any more */
export const watchWaits = (listener) => { onWait = listener; };

/**
 * Sends a request and parses the JSON response. Throws a Problem for an error response, and a TypeError, TimeoutError or
 * AbortError without one. The timeout cancels a request that still waits for a connection. A read that meets a busy agent is
 * sent again. So is a read with a signal that gets no response. A result may move what a person presses, so the caller gets it
 * after the press.
 * @param {{method?: string, body?: object, timeout?: number, signal?: AbortSignal}} [options] `signal` ends the call
 */
export async function call(path, options = {}) {
  try {
    return await repeat(path, options);
  } finally {
    await new Promise(afterPress);
  }
}

async function repeat(path, { method = 'GET', body, timeout = 8000, signal }) {
  for (let tries = 1; ; tries++) {
    try {
      const response = await send(path, { method, body, timeout, signal });
      if (response.status !== 503 || method !== 'GET' || tries === MAX_TRIES) return await read(response);
      await pause('The agent is busy; trying again…', Number(response.headers.get('Retry-After')) || 1, signal);
    } catch (problem) {
      if (!signal || signal.aborted || problem instanceof Problem || !isFailedCall(problem)) throw problem;
      await pause(NO_RESPONSE, 1, signal);
    }
  }
}

function send(path, { method, body, timeout, signal }) {
  return fetch(path, {
    method,
    headers: { ...keyHeader(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    signal: AbortSignal.any([...(timeout ? [AbortSignal.timeout(timeout)] : []), ...(signal ? [signal] : [])]),
  });
}

async function read(response) {
  const text = await response.text();
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* A proxy's error page is not JSON. */ }
  if (!response.ok) {
    throw new Problem(response.status, json?.detail ?? json?.title ?? `The agent responded with status ${response.status}.`);
  }
  return json;
}

/** Waits before the next try. The random part keeps the pages of a class apart. */
async function pause(text, seconds, signal) {
  waiting += 1;
  onWait(text);
  await new Promise((done) => {
    const timer = setTimeout(done, seconds * 1000 * (0.5 + Math.random()));
    signal?.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
  if (--waiting === 0) onWait('');
  signal?.throwIfAborted();
}

const detailQuery = (ranges) => (ranges ?? []).map(({ from, to }) => `&detail=${from}-${to}`).join('');

export const getTimeline = (run, detail) =>
  call(`timeline?cluster=true${run ? `&run=${encodeURIComponent(run)}` : ''}${detailQuery(detail)}`);

/** Why something happened in a recorded run. */
export const getWhy = (run, { agent, kind, at_ms: at, round }) =>
  call(`timeline/why?${queryText({ run, agent, kind, at, ...(round ? { round } : {}) })}`);

export const getRuns = () => call('timeline/runs?cluster=true');

export const getCluster = () => call('cluster');

export const startRun = (request) => call('run', { method: 'POST', body: request, timeout: 10_000 });

/** A query as text; a list becomes one parameter for each of its elements. */
export const queryText = (query) =>
  new URLSearchParams(Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))).toString();

export const simulate = (query, { detail, signal } = {}) =>
  call(`simulate?${queryText(query)}${detailQuery(detail)}`, { timeout: 30_000, signal });

/** The broken rules that simulated runs may follow. */
export const getMutants = async () => (await call('simulate/mutants')).mutants;

const exploreQuery = (query) => new URLSearchParams(Object.entries(query).filter(([, value]) => value));

/** The state after a path. */
export const exploreState = (query, signal) => call(`explore/state?${exploreQuery(query)}`, { signal });

/** What can still happen (`possible`), or what happened in simulated futures (`futures`), after a path or at a moment of a recorded run. */
export const exploreFuture = (kind, query, signal) => call(`explore/${kind}?${exploreQuery(query)}`, { timeout: 30_000, signal });

/**
 * Searches for the shortest way to a goal.
 * @param {object} query @param {AbortSignal} signal ends the search @param {(states: number) => void} onProgress
 * @returns {Promise<{states: number, path?: string, detail: string}>} `path` is absent unless a way was found
 */
export async function searchPath(query, signal, onProgress) {
  const response = await send(`explore/search?${exploreQuery(query)}`, { method: 'GET', signal });
  if (!response.ok) return read(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new TypeError('The search was cut off.');
    const events = (text + value).split('\n\n');
    text = events.pop();
    for (const event of events) {
      const kind = /^event: (.*)$/m.exec(event)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
      if (kind !== 'progress') return data;
      onProgress(data.states);
    }
  }
}
