// The front page. The Live tab shows it until the cluster has its first run. It says what consensus is, plays one run by itself,
// and leads to the other tabs.

import { errorText, isFailedCall, simulate } from './api.js';
import { RunView } from './run-view.js';

const STEP_MS = 1100;

// Three agents that draw different values and agree in the second round.
const EXAMPLE = { seed: '44' };

export class FrontPage {
  /** @param {HTMLElement} host @param {{onRun: () => void}} options `onRun` starts a run of the cluster */
  constructor(host, { onRun }) {
    this.host = host;
    this.stage = host.querySelector('.stage');
    host.querySelector('#door-run').addEventListener('click', onRun);
  }

  /** Shows it or hides it. It plays only while a person sees it, and not at all with reduced motion. */
  async show(isShown) {
    this.host.hidden = !isShown;
    if (!isShown || this.view) return;
    this.view = new RunView(this.stage, { label: 'Space-time diagram of an example' });
    try {
      this.view.show(await simulate(EXAMPLE));
    } catch (problem) {
      if (!isFailedCall(problem)) throw problem;
      this.stage.textContent = errorText(problem);
      return;
    }
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const { playback } = this.view;
    playback.go(0);
    const timer = setInterval(() => {
      if (document.hidden || !this.host.checkVisibility()) return;
      if (playback.position === undefined) playback.go(0);
      else playback.go(playback.count + 1);
    }, STEP_MS);
    this.stage.addEventListener('pointerdown', () => clearInterval(timer));
    this.stage.addEventListener('keydown', () => clearInterval(timer));
  }
}
