// Loads the page again when the browser lost one of its modules, as it does when a network interface comes or goes.
// This script is no module, so that it runs before the modules load.

const LOADS = 'consensus-loads';
const MAX_LOADS = 5;

/** Counts the loads of this tab. Without a count the page could load itself again for ever: a frame of another site may get no storage. */
function count() {
  try {
    const loads = Number(sessionStorage.getItem(LOADS) ?? 0) + 1;
    sessionStorage.setItem(LOADS, loads);
    return loads;
  } catch {
    return Infinity;
  }
}

addEventListener('error', ({ target }) => {
  if (target?.type !== 'module') return;
  const loads = count();
  const again = loads <= MAX_LOADS;
  const show = () => {
    const next = again ? 'Loading it again…' : 'Reload the page.';
    document.getElementById('connection').textContent = `A part of the page did not arrive. ${next}`;
  };
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
  if (again) setTimeout(() => location.reload(), 250 * 2 ** loads);
}, true);
