// The serving agent's events, once for all tabs of one browser. HTTP/1.1 gives a browser six connections to an agent, and an
// open stream keeps one. Six tabs with a stream each would leave no connection for other calls.

const NAME = 'consensus-events';
const RETRY_MS = 1000;
const KINDS = ['joined', 'joined_as_learner', 'drew', 'copied', 'adopted', 'voted', 'decided', 'learned', 'was_reset', 'contradicted',
  'disagreed', 'restored', 'booted', 'sent', 'received', 'answered', 'lost'];

/**
 * Follows the events while the page is visible; a page that is shown again reads the state anew.
 * @param {{happened: () => void, up: () => void, down: () => void}} listener `happened` after each event, `up` and `down` as the connection comes and goes
 */
export function follow(listener) {
  const channel = new BroadcastChannel(NAME);
  let turn;
  const publish = (what) => {
    channel.postMessage(what);
    listener[what]();
  };
  channel.onmessage = ({ data }) => { if (!document.hidden) listener[data](); };

  const leave = () => {
    turn?.abort();
    turn = undefined;
  };
  const join = () => {
    if (turn || document.hidden) return;
    turn = new AbortController();
    const { signal } = turn;

    // One visible tab holds the lock and reads; the next takes over when that tab is hidden or closed. A browser offers locks
    // on localhost and over https only: elsewhere each visible tab reads for itself.
    const read = () => stream(signal, publish);
    Promise.resolve(navigator.locks ? navigator.locks.request(NAME, { signal }, read) : read())
      .catch((error) => { if (error.name !== 'AbortError') throw error; });
  };

  document.addEventListener('visibilitychange', () => { if (document.hidden) leave(); else join(); });
  addEventListener('pagehide', leave);
  addEventListener('pageshow', join);
  join();
}

/** Reads the stream until the signal; resolves then. */
function stream(signal, publish) {
  return new Promise((ended) => {
    let source;
    let retry;
    const open = () => {
      source = new EventSource('/events');
      source.addEventListener('hello', () => publish('up'));
      for (const kind of KINDS) source.addEventListener(kind, () => publish('happened'));
      source.onerror = () => {
        publish('down');
        if (source.readyState !== EventSource.CLOSED) return;

        // A browser gives up where a proxy answers for an agent that is down; this page does not.
        retry = setTimeout(open, RETRY_MS);
      };
    };
    signal.addEventListener('abort', () => {
      clearTimeout(retry);
      source?.close();
      ended();
    });
    if (signal.aborted) ended();
    else open();
  });
}
