// All calls go to the agent that served the page; it reads the others.

import { carried } from './key.js';

/** A refusal whose message says what to change. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** What to tell a person who asked for something in vain. */
export const complaint = (problem) => problem instanceof Problem ? problem.message : 'The agent does not answer.';

/**
 * Calls and reads JSON; null where the agent answers 404. Throws a Problem for refusals, a TypeError or TimeoutError where no
 * answer comes. A call that took too long is taken back: one that still waits for a connection is not sent later.
 */
export async function call(path, { method = 'GET', body, timeout = 8000 } = {}) {
  const response = await fetch(path, {
    method,
    headers: { ...carried(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    signal: AbortSignal.timeout(timeout),
  });
  if (response.status === 404) return null;
  const text = await response.text();
  let answer = null;
  try { answer = text ? JSON.parse(text) : null; } catch { /* a refusal need not be JSON */ }
  if (!response.ok) throw new Problem(response.status, answer?.detail ?? answer?.title ?? `The agent answered ${response.status}.`);
  return answer;
}

const ranges = (detail) => (detail ?? []).map(({ from, to }) => `&detail=${from}-${to}`).join('');

export const timeline = (run, detail) =>
  call(`/timeline?cluster=true${run ? `&run=${encodeURIComponent(run)}` : ''}${ranges(detail)}`);

export const history = () => call('/timeline/runs?cluster=true');

export const cluster = () => call('/cluster');

export const start = (request) => call('/run', { method: 'POST', body: request, timeout: 10_000 });

export const simulate = (query, detail) => call(`/simulate?${new URLSearchParams(query)}${ranges(detail)}`, { timeout: 30_000 });
