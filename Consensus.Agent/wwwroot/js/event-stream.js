// The event stream of the serving agent, shared by all tabs of one browser. A browser opens at most six HTTP/1.1 connections
// to an agent, and each stream occupies one. Six streams would block all other calls.

import { EVENTS } from './vocabulary.js';

// Agents behind one proxy differ in their paths.
const NAME = `consensus-events ${new URL('.', location.href).pathname}`;
const RETRY_MS = 1000;

/**
 * Reads the stream while the page is visible.
 * @param {{event: () => void, up: () => void, down: () => void}} listener `event` runs after each event,
 * `up` and `down` when the connection opens and fails
 */
export function follow(listener) {
  const channel = new BroadcastChannel(NAME);
  let reading;
  const publish = (signalName) => {
    channel.postMessage(signalName);
    listener[signalName]();
  };
  channel.onmessage = ({ data }) => { if (!document.hidden) listener[data](); };

  const stop = () => {
    reading?.abort();
    reading = undefined;
  };
  const start = () => {
    if (reading || document.hidden) return;
    reading = new AbortController();
    const { signal } = reading;

    // The visible tab with the lock reads the stream; another tab takes over when that tab is hidden or closed.
    // Browsers offer locks only on localhost and over https. Elsewhere each visible tab reads its own stream.
    const read = () => readStream(signal, publish);
    // A frame of another site may be denied them.
    const alone = (error) => {
      if (error.name === 'SecurityError') return read();
      if (error.name !== 'AbortError') throw error;
      return undefined;
    };
    (navigator.locks ? navigator.locks.request(NAME, { signal }, read) : read()).catch(alone);
  };

  document.addEventListener('visibilitychange', () => { if (document.hidden) stop(); else start(); });
  addEventListener('pagehide', stop);
  addEventListener('pageshow', start);
  start();
}

/** Reads the stream until the signal aborts, then resolves. */
function readStream(signal, publish) {
  return new Promise((resolve) => {
    let source;
    let retry;
    const open = () => {
      source = new EventSource('events');
      source.addEventListener('hello', () => publish('up'));
      for (const kind of EVENTS) source.addEventListener(kind, () => publish('event'));
      source.onerror = () => {
        publish('down');
        if (source.readyState !== EventSource.CLOSED) return;

        // The browser stops its own retries after an error response, such as a proxy's while the agent is down.
        retry = setTimeout(open, RETRY_MS);
      };
    };
    signal.addEventListener('abort', () => {
      clearTimeout(retry);
      source?.close();
      resolve();
    });
    if (signal.aborted) resolve();
    else open();
  });
}
