// Names beside some points of the map: inside it, none on another one, none under its buttons.
const SIZE_PX = 13;
const LINE_PX = 18;
const GAP_PX = 14;
const GUEST_GAP_PX = 20;
const MAX_WIDTH_PX = 260;
const MAX_STEPS = 6;

/** Draw a ring around what is most like the first of `labels`, pairs of row and text. */
export function drawRings(drawing, labels) {
  const { pen, ink, ground, radius } = drawing;
  for (const [row] of labels.slice(1)) {
    if (!drawing.isShown(row)) continue;
    for (const [width, colour] of [[4, ground], [1.5, ink]]) {
      pen.beginPath();
      pen.arc(...drawing.place(row), radius + 4, 0, 7);
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  }
}

/** Draw the names of `labels`, the first of them bold. */
export function drawLabels(drawing, labels) {
  const { pen } = drawing;
  const points = labels.filter(([row]) => drawing.isShown(row)).map(([row, text]) => ({ row, text, at: drawing.place(row), gap: row === drawing.guest ? GUEST_GAP_PX : GAP_PX })).filter(({ at }) => isInside(around(at, 0), drawing));
  const taken = [buttons(drawing), ...points.map(({ at, gap }) => around(at, gap - 2))];
  const family = getComputedStyle(drawing.canvas).fontFamily;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.lineJoin = "round";
  for (const { row, text, at, gap } of points) {
    pen.font = `${row === labels[0][0] ? 600 : 400} ${SIZE_PX}px ${family}`;
    const shown = shortened(pen, text, Math.min(MAX_WIDTH_PX, 0.45 * drawing.width));
    const all = spots(at, gap, pen.measureText(shown).width);
    const box = all.find((one) => isInside(one, drawing) && !taken.some((other) => overlap(one, other))) ?? all[0];
    taken.push(box);
    leader(drawing, at, gap, box);
    const y = (box.top + box.bottom) / 2;
    pen.lineWidth = 4;
    pen.strokeStyle = drawing.ground;
    pen.strokeText(shown, box.left, y);
    pen.fillStyle = drawing.ink;
    pen.fillText(shown, box.left, y);
  }
}

const around = ([x, y], far) => ({ left: x - far, top: y - far, right: x + far, bottom: y + far });
const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
const isInside = (box, { width, height }) => box.left >= 2 && box.top >= 2 && box.right <= width - 2 && box.bottom <= height - 2;

function buttons({ canvas }) {
  const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = canvas.parentElement.querySelector(".tools");
  return { left, top, right: left + width, bottom: top + height };
}

function shortened(pen, text, most) {
  const letters = Array.from(text);
  let shown = text;
  while (letters.length && pen.measureText(shown).width > most) {
    letters.pop();
    shown = `${letters.join("").trimEnd()}…`;
  }
  return shown;
}

/** Where a name may stand, the best first: beside its point, below, above, then further up and down beside it. */
function spots([x, y], gap, width) {
  const box = (left, middle) => ({ left, top: middle - LINE_PX / 2, right: left + width, bottom: middle + LINE_PX / 2 });
  const [right, left, centred] = [x + gap, x - gap - width, x - width / 2];
  const away = gap + LINE_PX / 2;
  const found = [box(right, y), box(left, y), box(centred, y + away), box(centred, y - away)];
  for (let step = 1; step <= MAX_STEPS; step += 1) {
    for (const middle of [y + step * LINE_PX, y - step * LINE_PX]) found.push(box(right, middle), box(left, middle));
  }
  return found;
}

/** A line from a point to its name, where that does not stand beside it. */
function leader({ pen, ink }, [x, y], gap, box) {
  const middle = (box.top + box.bottom) / 2;
  const isBeside = Math.abs(middle - y) < LINE_PX || (box.left < x && x < box.right);
  if (isBeside) return;
  const side = box.left > x ? 1 : -1;
  pen.beginPath();
  pen.moveTo(x + (gap - 4) * side, y);
  pen.lineTo((side > 0 ? box.left : box.right) - 2 * side, middle);
  pen.lineWidth = 1;
  pen.strokeStyle = ink;
  pen.stroke();
}
