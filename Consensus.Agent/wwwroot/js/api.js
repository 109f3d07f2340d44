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

/** Calls and reads JSON; null where the agent answers 404. Throws a Problem for refusals, a TypeError where nobody answers. */
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

/** Watches the serving agent: `happened` after each event, `up` and `down` as the connection comes and goes. */
export function follow({ happened, up, down }) {
  const kinds = ['joined', 'joined_as_learner', 'drew', 'copied', 'adopted', 'voted', 'decided', 'learned', 'was_reset', 'contradicted',
    'disagreed', 'restored', 'booted', 'sent', 'received', 'answered', 'lost'];
  let source;
  let retry;
  const open = () => {
    source = new EventSource('/events');
    source.addEventListener('hello', up);
    for (const kind of kinds) source.addEventListener(kind, happened);
    source.onerror = () => {
      down();
      if (source.readyState !== EventSource.CLOSED) return;

      // A browser gives up where a proxy answers for an agent that is down; this page does not.
      clearTimeout(retry);
      retry = setTimeout(open, 1000);
    };
  };
  open();
}
