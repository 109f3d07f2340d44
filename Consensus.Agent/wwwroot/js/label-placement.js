// Where the labels of arrows stand: beside their heads, or wherever along them nothing is written yet.

const ROW = 24;
const LETTER = 6.9;

export class Labels {
  constructor({ lane }) {
    this.rows = new Map();

    // The arrows of one broadcast leave one point and part on their way, so a label is best near the head.
    this.near = lane > 110 ? 54 : 26;
  }

  /** @param {{left: number, right: number, top: number, bottom: number}} box no label is to cover it */
  keepFree(box) {
    for (let row = Math.floor(box.top / ROW); row <= Math.floor(box.bottom / ROW); row++) {
      if (!this.rows.has(row)) this.rows.set(row, []);
      this.rows.get(row).push(box);
    }
  }

  /** The middle of the label's base line; null where there is no room: who points at the arrow is told. */
  placeFor(text, { x1, y1, x2, y2 }) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    const half = text.length * LETTER / 2;
    for (const back of [Math.min(this.near, length / 2), length * 0.35, length * 0.5, length * 0.65, length - Math.min(this.near, length / 2)]) {
      const x = x2 + (x1 - x2) * back / length;
      const line = y2 + (y1 - y2) * back / length;
      for (const y of [line - 3.5, line + 11.5]) {
        const box = { left: x - half, right: x + half, top: y - 9, bottom: y + 1 };
        if (this.#isTaken(box)) continue;
        this.keepFree(box);
        return { x, y };
      }
    }
    return null;
  }

  #isTaken(box) {
    for (let row = Math.floor(box.top / ROW); row <= Math.floor(box.bottom / ROW); row++) {
      for (const other of this.rows.get(row) ?? []) {
        if (box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom) return true;
      }
    }
    return false;
  }
}
