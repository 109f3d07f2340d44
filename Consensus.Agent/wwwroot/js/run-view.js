// The view of one run: its diagram and its playback.

import { afterPress, oncePerFrame } from './dom.js';
import { Playback } from './playback.js';
import { Possible } from './possible.js';
import { SpaceTimeDiagram } from './space-time-diagram.js';
import { onlyValueLine } from './svg-shapes.js';
import { buildModel, statesAfter } from './timeline-model.js';

export class RunView {
  /**
   * @param {HTMLElement} host
   * @param {{label: string, title?: string, unfold?: Function, onStates?: (model, states, position) => void, onMessages?: Function,
   * step?: number, playback?: {position?: number, count: number}, possible?: object}} options `onStates` receives the agents' states at the
   * playback position. `playback` is that of several runs. `possible` asks what can still happen
   */
  constructor(host, options) {
    this.onStates = options.onStates;
    this.diagram = new SpaceTimeDiagram(host, { ...options, onResize: () => this.draw() });
    this.playback = options.playback ?? new Playback(this.diagram.root, {
      ...options,
      onWhy: options.ask && ((step) => this.diagram.why.explain(step, this.diagram.model)),
      onMove: oncePerFrame(() => this.move()),
    });
    const { possible } = options;
    this.possible = possible && new Possible(possible.host ?? this.diagram.root, { ...possible, onLine: (since) => this.#showLine(since) });
    const draw = () => {
      this.diagram.position = this.playback.position;
      this.diagram.show(this.model);
    };
    this.draw = oncePerFrame(() => afterPress(draw));
  }

  /** Shows a timeline. The next frame draws it, so that a long run takes two short tasks and not one long task. */
  show(timeline) {
    this.showModel(buildModel(timeline));
  }

  showModel(model) {
    this.model = model;
    this.playback.show?.(model);
    this.publishStates();
    this.draw();
  }

  /** Shows the playback position. */
  move() {
    if (this.diagram.model === this.model) this.diagram.coverAfter(this.playback.position);
    this.publishStates();
  }

  publishStates() {
    const states = statesAfter(this.model, this.playback.count);
    this.diagram.showStates(states);
    this.onStates?.(this.model, states, this.playback.position);
    this.possible?.show(this.model, this.playback.position);
  }

  /** Draws from when on only one value was possible. The rest of the picture stays, and so does what moves in it. */
  #showLine(since) {
    const { model, diagram } = this;
    model.onlyValue = since && { at_ms: (since.at_us - model.timeline.start_us) / 1000, value: since.value };
    diagram.svg.querySelector('.only-value')?.remove();
    if (since && diagram.model === model) diagram.svg.querySelector('.background').append(onlyValueLine(diagram.plan, model));
  }
}
