// Draws the points of the map on a canvas: shapes while they are few, and how dense they lie where they are many.
import { drawLabels, drawRings } from "./map-labels.js";

const MAX_SHAPES = 20000;
const OTHERS = 8;
const NOTHING = 9;
const UNKNOWN = 255;
const MARGIN = 24;
const NAMES_PX = 60; // Room for names at the edges.

export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.xs = this.ys = new Float32Array(0);
    this.colours = this.marks = new Uint8Array(0);
    this.shown = new Uint8Array(256).fill(1);
    this.view = { scale: 1, x: 0, y: 0 };
    this.isScale = false;
    this.levels = 251;
    this.marked = 0;
    this.chosen = -1;
    this.guest = -1; // Row of a client's file, after those of the catalogue.
    this.labels = []; // Pairs of row and name; the first is what the others are like.
    this.outline = [];
    this.readStyle();
  }

  get count() { return this.xs.length; }

  /** Take places from pairs of 16-bit integers, and that of a client's file, if there is one. */
  take(bytes, guest = null) {
    const pairs = new Uint16Array(bytes);
    const own = pairs.length / 2;
    const count = own + (guest ? 1 : 0);
    [this.xs, this.ys] = [new Float32Array(count), new Float32Array(count)];
    for (let row = 0; row < own; row += 1) {
      this.xs[row] = (2 * pairs[2 * row]) / 65535 - 1;
      this.ys[row] = (2 * pairs[2 * row + 1]) / 65535 - 1;
    }
    this.guest = guest ? own : -1;
    if (guest) [this.xs[own], this.ys[own]] = guest;
    this.colours = new Uint8Array(count);
    this.marks = new Uint8Array(count);
  }

  /** Take the colour of each row of the catalogue. */
  paint(bytes) {
    this.colours = new Uint8Array(this.count).fill(UNKNOWN);
    this.colours.set(new Uint8Array(bytes));
  }

  readStyle() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.ink = read("--ink");
    this.ground = read("--raised");
    this.own = Array.from({ length: 10 }, (_, number) => read(`--g${number}`));
    this.steps = Array.from({ length: 5 }, (_, number) => read(`--s${number}`));
  }

  /** The colour of a number, as red, green and blue. */
  rgb(number) {
    if (!this.isScale) return parsed(this.own[Math.min(number, NOTHING)]);
    if (number === UNKNOWN) return parsed(this.own[NOTHING]);
    const at = (number / (this.levels - 1)) * (this.steps.length - 1);
    const [low, high] = [parsed(this.steps[Math.floor(at)]), parsed(this.steps[Math.min(Math.ceil(at), 4)])];
    return low.map((value, channel) => Math.round(value + (high[channel] - value) * (at % 1)));
  }

  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  get unitY() { return (Math.min(this.width, this.height) / 2 - MARGIN) * this.view.scale; }
  /** The wider side of the canvas is filled too. */
  get unitX() { return this.unitY * Math.max(1, Math.min(1.6, this.width / this.height)); }

  /** Where a row is drawn, in CSS pixels. */
  place(row) {
    return [this.width / 2 + (this.xs[row] - this.view.x) * this.unitX, this.height / 2 + (this.ys[row] - this.view.y) * this.unitY];
  }

  /** Put a row in the middle, and zoom in as far as others are seen too; of the whole map there is always room for all. */
  centre(row, others) {
    this.view = { scale: 1, x: this.xs[row], y: this.ys[row] };
    const room = others.flatMap((other) => [
      (this.width / 2 - NAMES_PX) / (Math.abs(this.xs[other] - this.xs[row]) * this.unitX),
      (this.height / 2 - NAMES_PX) / (Math.abs(this.ys[other] - this.ys[row]) * this.unitY),
    ]);
    this.view.scale = Math.max(0.5, Math.min(3, ...room));
  }

  isShown(row) { return row === this.guest || this.shown[this.colours[row]] === 1; }

  /** Rows of the catalogue that are shown and inside the canvas, with their places. */
  inside() {
    const { width, height, unitX, unitY, xs, ys, view, shown, colours } = this;
    const [rows, px, py] = [new Int32Array(xs.length), new Float32Array(xs.length), new Float32Array(xs.length)];
    let found = 0;
    for (let row = 0; row < xs.length; row += 1) {
      if (row === this.guest || !shown[colours[row]]) continue;
      const x = width / 2 + (xs[row] - view.x) * unitX;
      const y = height / 2 + (ys[row] - view.y) * unitY;
      if (x < -8 || x > width + 8 || y < -8 || y > height + 8) continue;
      rows[found] = row;
      px[found] = x;
      py[found] = y;
      found += 1;
    }
    return { found, rows, px, py };
  }

  /** Draw all; returns how many points are inside the canvas. */
  draw() {
    const { pen, canvas } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(this.height * ratio);
    const seen = this.inside();
    this.isDense = seen.found > MAX_SHAPES;
    if (this.isDense) this.drawDensity(seen, ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!this.isDense) this.drawShapes(seen);
    drawRings(this, this.labels);
    this.drawChosen();
    this.drawGuest();
    drawLabels(this, this.labels);
    this.drawOutline();
    return seen.found;
  }

  get radius() {
    return Math.max(2, Math.min(6, 70 / Math.sqrt(this.count))) * Math.min(1.8, Math.sqrt(this.view.scale));
  }

  drawShapes({ found, rows, px, py }) {
    const { pen, radius } = this;
    const groups = new Map();
    for (let at = 0; at < found; at += 1) {
      const key = 2 * this.colours[rows[at]] + this.marks[rows[at]];
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(at);
    }
    const order = [...groups.keys()].sort((a, b) => (a & 1) - (b & 1) || b - a); // Marked ones lie on top.
    for (const key of order) {
      const [number, isMarked] = [key >> 1, key & 1];
      const isHollow = this.isScale ? number === UNKNOWN : number === NOTHING;
      pen.beginPath();
      for (const at of groups.get(key)) this.shape(number, px[at], py[at], isMarked ? radius + 1 : radius);
      pen.globalAlpha = this.marked && !isMarked ? 0.22 : 0.88;
      pen.fillStyle = pen.strokeStyle = `rgb(${this.rgb(number).join(" ")})`;
      pen.lineWidth = 1.5;
      if (isHollow) pen.stroke();
      else pen.fill();
      if (!isMarked) continue;
      pen.lineWidth = 1.25;
      pen.strokeStyle = this.ink;
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  shape(number, x, y, r) {
    const { pen } = this;
    const kind = this.isScale || number > OTHERS ? 0 : number % 4;
    if (kind === 0) { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 7); }
    else if (kind === 1) pen.rect(x - r * 0.88, y - r * 0.88, 1.76 * r, 1.76 * r);
    else if (kind === 2) { pen.moveTo(x, y - 1.15 * r); pen.lineTo(x + 1.1 * r, y + 0.85 * r); pen.lineTo(x - 1.1 * r, y + 0.85 * r); pen.closePath(); }
    else { pen.moveTo(x, y - 1.2 * r); pen.lineTo(x + 1.2 * r, y); pen.lineTo(x, y + 1.2 * r); pen.lineTo(x - 1.2 * r, y); pen.closePath(); }
  }

  /** Every pixel has the mean colour of its points, and is the fuller the more there are. */
  drawDensity({ found, rows, px, py }, ratio) {
    const [width, height] = [this.canvas.width, this.canvas.height];
    const [sums, weights] = [new Float32Array(3 * width * height), new Float32Array(width * height)];
    const palette = Array.from({ length: 256 }, (_, number) => this.rgb(number));
    const size = Math.max(1, Math.round(ratio));
    for (let at = 0; at < found; at += 1) {
      const row = rows[at];
      const weight = this.marked && !this.marks[row] ? 0.04 : 1;
      const [red, green, blue] = palette[this.colours[row]];
      const [left, top] = [Math.floor(px[at] * ratio), Math.floor(py[at] * ratio)];
      for (let y = Math.max(0, top); y < Math.min(height, top + size); y += 1) {
        for (let x = Math.max(0, left); x < Math.min(width, left + size); x += 1) {
          const pixel = y * width + x;
          weights[pixel] += weight;
          sums[3 * pixel] += weight * red;
          sums[3 * pixel + 1] += weight * green;
          sums[3 * pixel + 2] += weight * blue;
        }
      }
    }
    const picture = this.pen.createImageData(width, height);
    const full = Math.log1p(fullness(weights));
    for (let pixel = 0; pixel < weights.length; pixel += 1) {
      const weight = weights[pixel];
      if (!weight) continue;
      for (let channel = 0; channel < 3; channel += 1) picture.data[4 * pixel + channel] = sums[3 * pixel + channel] / weight;
      picture.data[4 * pixel + 3] = 255 * Math.min(1, 0.25 * Math.min(1, weight) + (0.75 * Math.log1p(weight)) / full);
    }
    this.pen.putImageData(picture, 0, 0);
  }

  drawChosen() {
    if (this.chosen < 0 || this.chosen === this.guest || !this.isShown(this.chosen)) return;
    const [x, y] = this.place(this.chosen);
    this.pen.beginPath();
    this.shape(this.colours[this.chosen], x, y, this.radius + 3);
    this.pen.fillStyle = `rgb(${this.rgb(this.colours[this.chosen]).join(" ")})`;
    this.pen.fill();
    for (const [width, colour] of [[5, this.ground], [2, this.ink]]) {
      this.pen.lineWidth = width;
      this.pen.strokeStyle = colour;
      this.pen.stroke();
    }
  }

  /** A target, unlike any music video, on top of all. */
  drawGuest() {
    if (this.guest < 0) return;
    const { pen } = this;
    const [x, y] = this.place(this.guest);
    const rings = [[11, this.ink], [9, this.ground], [4.5, this.ink]];
    if (this.chosen === this.guest) rings.unshift([15, this.ink], [13.5, this.ground]);
    for (const [radius, colour] of rings) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fillStyle = colour;
      pen.fill();
    }
  }

  /** The lasso, while it is drawn. */
  drawOutline() {
    if (this.outline.length < 2) return;
    this.pen.beginPath();
    this.outline.forEach(([x, y], at) => (at ? this.pen.lineTo(x, y) : this.pen.moveTo(x, y)));
    this.pen.closePath();
    this.pen.lineWidth = 1.5;
    this.pen.setLineDash([5, 4]);
    this.pen.strokeStyle = this.ink;
    this.pen.stroke();
    this.pen.setLineDash([]);
    this.pen.globalAlpha = 0.08;
    this.pen.fillStyle = this.ink;
    this.pen.fill();
    this.pen.globalAlpha = 1;
  }

  /** The row that is drawn nearest to a place on the canvas, −1 if none is near. */
  nearest(x, y, most = 18) {
    let [best, least] = [-1, most * most];
    const { width, height, unitX, unitY, xs, ys, view } = this;
    for (let row = 0; row < xs.length; row += 1) {
      const dx = width / 2 + (xs[row] - view.x) * unitX - x;
      const dy = height / 2 + (ys[row] - view.y) * unitY - y;
      const distance = dx * dx + dy * dy;
      if (distance < least && this.isShown(row)) [best, least] = [row, distance];
    }
    return best;
  }

  /** The nearest row in a direction, straight ahead before sideways; −1 if there is none. */
  towards(dx, dy) {
    if (this.chosen < 0) return this.nearest(this.width / 2, this.height / 2, Infinity);
    const [x, y] = this.place(this.chosen);
    let [best, least] = [-1, Infinity];
    for (let row = 0; row < this.count; row += 1) {
      if (row === this.chosen || !this.isShown(row)) continue;
      const [px, py] = this.place(row);
      const ahead = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (ahead > 0.5 && ahead + 2 * aside < least) [best, least] = [row, ahead + 2 * aside];
    }
    return best;
  }

  /** Rows that are shown inside a polygon of the canvas. */
  within(polygon) {
    const { found, rows, px, py } = this.inside();
    const inside = [];
    for (let at = 0; at < found; at += 1) {
      let isIn = false;
      for (let one = 0, other = polygon.length - 1; one < polygon.length; other = one, one += 1) {
        const [[ax, ay], [bx, by]] = [polygon[one], polygon[other]];
        if (ay > py[at] !== by > py[at] && px[at] < ((bx - ax) * (py[at] - ay)) / (by - ay) + ax) isIn = !isIn;
      }
      if (isIn) inside.push(rows[at]);
    }
    return inside;
  }
}

/** What counts as full: the weight that one pixel in a hundred of those with points exceeds. */
function fullness(weights) {
  const some = weights.filter((weight) => weight > 0).sort();
  return Math.max(2, some[Math.floor(0.99 * (some.length - 1))] ?? 2);
}

function parsed(colour) {
  const digits = /^#(..)(..)(..)$/.exec(colour);
  return digits ? digits.slice(1).map((two) => parseInt(two, 16)) : [128, 128, 128];
}
