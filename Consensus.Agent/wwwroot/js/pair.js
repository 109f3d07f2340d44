// Runs side by side: they share their rows, their zoom, their scroll position and one playback.

import { html, oncePerFrame } from './dom.js';
import { describeStep } from './format.js';
import { Playback } from './playback.js';
import { RunView } from './run-view.js';
import { buildModel, stepsByTime } from './timeline-model.js';

/** All steps of one time. `counts` says how many steps of each run are shown after it. */
class Row {
  constructor(atMs, steps, counts) {
    Object.assign(this, { at_ms: atMs, steps, counts });
  }
}

export class RunPair {
  /**
   * @param {HTMLElement} host
   * @param {{name: string, stage: HTMLElement, timeline: object, options: object}[]} runs `options` are those of a RunView
   * @param {{step?: number, onMove: (position: number | undefined) => void}} options `step` is the position at first
   */
  constructor(host, runs, { step, onMove }) {
    const moved = oncePerFrame(() => {
      for (const view of this.views) view.move();
      onMove(this.playback.position);
    });
    const bar = html('div', { class: 'card shared-playback' });
    this.playback = new Playback(bar, { step, onMove: moved, describe: (row) => this.#describe(row) });
    this.views = runs.map(({ stage, options }, index) => new RunView(stage, { ...options, playback: this.#partOf(index) }));
    const models = runs.map(({ timeline }) => buildModel(timeline));
    for (const { diagram } of this.views) this.#link(diagram);
    this.names = new Map(models.map((model, index) => [model, runs[index].name]));
    this.playback.show({ timeline: runs[0].timeline, steps: rowsOf(models) });
    this.views.forEach((view, index) => view.showModel(models[index]));
    host.append(bar);
  }

  /** The playback as one run sees it. */
  #partOf(index) {
    const { playback } = this;
    return {
      get position() { return playback.position === undefined ? undefined : this.count; },
      get count() { return playback.count ? playback.step.counts[index] : 0; },
    };
  }

  #link(diagram) {
    const others = this.views.map((view) => view.diagram).filter((other) => other !== diagram);
    diagram.beside = () => this.views.map(({ model }) => model).filter((model) => model !== diagram.model);
    diagram.onZoom = (steps) => { for (const other of others) other.zoomBy(steps, false); };
    diagram.scroll.addEventListener('scroll', () => {
      for (const { scroll } of others) if (scroll.scrollTop !== diagram.scroll.scrollTop) scroll.scrollTop = diagram.scroll.scrollTop;
    }, { passive: true });
  }

  /** What each run does in a row; once where both do the same. */
  #describe({ steps }) {
    const texts = Map.groupBy(steps, (step) => describeStep(step, step.model.lanes));
    return [...texts].map(([text, own]) => own.length === this.names.size ? text
      : `${own.map(({ model }) => this.names.get(model)).join(', ')}: ${text}`).join('. ');
  }
}

function rowsOf(models) {
  const counts = models.map(() => 0);
  return [...stepsByTime(models)].map(([t, row]) => {
    for (const { model } of row) counts[models.indexOf(model)] += 1;
    return new Row(t, row, [...counts]);
  });
}
