// The view of one run: its diagram and its playback.

import { oncePerFrame, onPress } from './dom.js';
import { Playback } from './playback.js';
import { SpaceTimeDiagram } from './space-time-diagram.js';
import { buildModel, statesAfter } from './timeline-model.js';

export class RunView {
  /**
   * @param {HTMLElement} host
   * @param {{label: string, title?: string, unfold?: Function, onStates?: (model, states, position) => void, onMessages?: Function,
   * step?: number, playback?: {position?: number, count: number}}} options `onStates` receives the agents' states at the playback
   * position. `playback` is that of several runs
   */
  constructor(host, options) {
    this.onStates = options.onStates;
    this.diagram = new SpaceTimeDiagram(host, { ...options, onResize: () => this.draw() });
    this.playback = options.playback ?? new Playback(this.diagram.root, { ...options, onWhy: options.ask && ((step) => this.diagram.why.explain(step, this.diagram.model)), onMove: oncePerFrame(() => this.move()) });
    this.draw = oncePerFrame(() => {
      this.postponed = this.pressed;
      if (this.pressed) return;
      this.diagram.position = this.playback.position;
      this.diagram.show(this.model);
    });

    // The browser fires no click if the pressed element was replaced during the press. A drawing therefore waits for its end.
    onPress(this.diagram.root, () => {
      this.pressed = true;
      return {
        onEnd: () => {
          this.pressed = false;
          if (this.postponed) this.draw();
        },
      };
    });
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
  }
}
