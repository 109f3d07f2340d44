// Places the labels of arrows: near the arrow's head, or at the first free position along the arrow.

const ROW_HEIGHT = 24;
const LETTER_WIDTH = 8;

export class LabelPlacement {
  constructor({ lane }) {
    this.rows = new Map();

    // Arrows of one broadcast start at one point and diverge, so labels overlap least near the heads.
    this.distance = lane > 110 ? 54 : 26;
  }

  /** Reserves a box that no label may overlap. @param {{left: number, right: number, top: number, bottom: number}} box */
  reserve(box) {
    for (let row = Math.floor(box.top / ROW_HEIGHT); row <= Math.floor(box.bottom / ROW_HEIGHT); row++) {
      if (!this.rows.has(row)) this.rows.set(row, []);
      this.rows.get(row).push(box);
    }
  }

  /** The middle of the label's base line; null if no position is free. The tooltip of the arrow then replaces the label. */
  place(text, { x1, y1, x2, y2 }) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    const half = text.length * LETTER_WIDTH / 2;
    for (const back of [Math.min(this.distance, length / 2), length * 0.35,
      length * 0.5, length * 0.65, length - Math.min(this.distance, length / 2)]) {
      const x = x2 + (x1 - x2) * back / length;
      const line = y2 + (y1 - y2) * back / length;
      for (const y of [line - 4, line + 13]) {
        const box = { left: x - half, right: x + half, top: y - 11, bottom: y + 2 };
        if (this.#overlaps(box)) continue;
        this.reserve(box);
        return { x, y };
      }
    }
    return null;
  }

  #overlaps(box) {
    for (let row = Math.floor(box.top / ROW_HEIGHT); row <= Math.floor(box.bottom / ROW_HEIGHT); row++) {
      for (const other of this.rows.get(row) ?? []) {
        if (box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom) return true;
      }
    }
    return false;
  }
}
