// HTTP calls of the page. The page calls only the agent that served it; that agent queries the others.

import { keyHeader } from './key.js';

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
export const isFailedCall = (problem) => problem instanceof Problem || problem instanceof TypeError || problem.name === 'TimeoutError';

/**
 * Sends a request and parses the JSON response; null for 404. Throws a Problem for an error response, and a TypeError or
 * TimeoutError without one. The timeout cancels a request that still waits for a connection.
 */
export async function call(path, { method = 'GET', body, timeout = 8000 } = {}) {
  const response = await fetch(path, {
    method,
    headers: { ...keyHeader(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    signal: AbortSignal.timeout(timeout),
  });
  if (response.status === 404) return null;
  const text = await response.text();
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* A proxy's error page is not JSON. */ }
  if (!response.ok) throw new Problem(response.status, json?.detail ?? json?.title ?? `The agent responded with status ${response.status}.`);
  return json;
}

const detailQuery = (ranges) => (ranges ?? []).map(({ from, to }) => `&detail=${from}-${to}`).join('');

export const getTimeline = (run, detail) =>
  call(`/timeline?cluster=true${run ? `&run=${encodeURIComponent(run)}` : ''}${detailQuery(detail)}`);

export const getRuns = () => call('/timeline/runs?cluster=true');

export const getCluster = () => call('/cluster');

export const startRun = (request) => call('/run', { method: 'POST', body: request, timeout: 10_000 });

/** A query as text; a list becomes one parameter for each of its elements. */
export const queryText = (query) => new URLSearchParams(Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))).toString();

export const simulate = (query, detail) => call(`/simulate?${queryText(query)}${detailQuery(detail)}`, { timeout: 30_000 });

/** The broken rules that simulated runs may follow. */
export const getMutants = async () => (await call('/simulate/mutants')).mutants;

/** The state after a path; with a goal, after the path to that goal. */
export const exploreState = (query, timeout) => call(`/explore/state?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`, { timeout });
