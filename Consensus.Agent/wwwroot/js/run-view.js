// A diagram with its slider, and whoever wants to know what the agents knew at the moment it shows.

import { Diagram } from './space-time-diagram.js';
import { eachFrame, onPress } from './dom.js';
import { build, replay } from './timeline-model.js';
import { Stepper } from './playback.js';

export class View {
  /** @param {HTMLElement} host @param {{label: string, title?: string, unfold?: Function, knew?: (model, known, at) => void}} options */
  constructor(host, options) {
    this.knew = options.knew;
    this.diagram = new Diagram(host, { ...options, resized: () => this.draw() });
    const moved = eachFrame(() => {
      if (this.diagram.model === this.model) this.diagram.cut(this.stepper.at);
      this.tell();
    });
    this.stepper = new Stepper(this.diagram.root, moved);
    this.draw = eachFrame(() => {
      this.postponed = this.pressed;
      if (this.pressed) return;
      this.diagram.cutAt = this.stepper.at;
      this.diagram.show(this.model);
    });

    // A press whose target is gone when it ends is no click: nothing is drawn anew under one.
    onPress(this.diagram.root, () => {
      this.pressed = true;
      return {
        ended: () => {
          this.pressed = false;
          if (this.postponed) this.draw();
        },
      };
    });
  }

  /** Draws it with the next frame: a long run is read in one task and drawn in another. */
  show(timeline) {
    this.model = build(timeline);
    this.stepper.show(this.model);
    this.draw();
    this.tell();
  }

  tell() {
    this.knew?.(this.model, replay(this.model, this.stepper.count), this.stepper.at);
  }
}
