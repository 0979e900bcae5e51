// The map: points on a canvas, coloured and shaped by genre. Pointing plays, clicking opens, arrows move.
import { toggle, stopPlaying } from "./players.js";

const canvas = document.getElementById("map");
const state = document.getElementById("map-state");
const card = document.getElementById("card");
const pen = canvas.getContext("2d");
const [X, Y, GENRE, ID, TITLE, ARTIST, MEDIA, AT] = [0, 1, 2, 3, 4, 5, 6, 7];
const REST_MS = 350;
const hint = card.firstElementChild;

let points = [];
let genres = [];
let shown = new Set();
let chosen = null;
let view = { scale: 1, x: 0, y: 0 };
let drag = null;
let rest = 0;

const address = (place, id) => `${document.documentElement.dataset.root}/${place}/${encodeURIComponent(id)}`;
const visible = () => points.filter((point) => shown.has(point[GENRE]));
const size = () => ({ width: canvas.clientWidth, height: canvas.clientHeight });
const unit = () => (Math.min(canvas.clientWidth, canvas.clientHeight) / 2 - 24) * view.scale;

/** Where a point is drawn, in CSS pixels. The wider side of the canvas is filled too. */
function place(point) {
  const { width, height } = size();
  const stretch = Math.max(1, Math.min(1.6, width / height));
  return [width / 2 + (point[X] - view.x) * unit() * stretch, height / 2 + (point[Y] - view.y) * unit()];
}

function shape(genre, x, y, r) {
  pen.beginPath();
  if (genre % 3 === 0) pen.arc(x, y, r, 0, 7);
  else if (genre % 3 === 1) pen.rect(x - r * 0.88, y - r * 0.88, 1.76 * r, 1.76 * r);
  else {
    pen.moveTo(x, y - 1.15 * r);
    pen.lineTo(x + 1.1 * r, y + 0.85 * r);
    pen.lineTo(x - 1.1 * r, y + 0.85 * r);
    pen.closePath();
  }
}

function draw() {
  const { width, height } = size();
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const colours = Array.from({ length: 13 }, (_, number) => style.getPropertyValue(`--g${number}`));
  const radius = Math.max(2, Math.min(6, 70 / Math.sqrt(points.length))) * Math.min(1.8, Math.sqrt(view.scale));
  pen.globalAlpha = 0.85;
  let inside = 0;
  for (const point of visible()) {
    const [x, y] = place(point);
    if (x > 0 && x < width && y > 0 && y < height) inside += 1;
    pen.fillStyle = colours[point[GENRE]];
    shape(point[GENRE], x, y, radius);
    pen.fill();
  }
  state.hidden = inside > 0;
  state.textContent = shown.size ? "There is nothing here. “whole” shows the whole map." : "No genre is selected.";
  pen.globalAlpha = 1;
  if (chosen && shown.has(chosen[GENRE])) {
    const [x, y] = place(chosen);
    pen.fillStyle = colours[chosen[GENRE]];
    shape(chosen[GENRE], x, y, radius + 3);
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.stroke();
  }
}

/** The point that is drawn nearest to a place on the canvas, if any is near. */
function nearest(x, y, most = 18) {
  let [best, least] = [null, most];
  for (const point of visible()) {
    const [px, py] = place(point);
    const distance = Math.hypot(px - x, py - y);
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}

/** The nearest point in a direction, straight ahead before sideways. */
function towards(dx, dy) {
  if (!chosen) return visible()[0] ?? null;
  const [x, y] = place(chosen);
  let [best, least] = [null, Infinity];
  for (const point of visible()) {
    const [px, py] = place(point);
    const ahead = (px - x) * dx + (py - y) * dy;
    const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
    if (point !== chosen && ahead > 0.5 && ahead + 2 * aside < least) [best, least] = [point, ahead + 2 * aside];
  }
  return best;
}

function line(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

/** Choose a point: show its card, and tell its name to those who listen. */
function choose(point) {
  if (point === chosen) return;
  chosen = point;
  stopPlaying();
  draw();
  if (!point) {
    card.replaceChildren(hint);
    return;
  }
  const player = line("button", "", "player");
  player.type = "button";
  player.dataset.here = "";
  player.setAttribute("aria-pressed", "false");
  player.setAttribute("aria-label", `Play ${point[TITLE]}`);
  if (point[MEDIA]) {
    Object.assign(player.dataset, { video: point[MEDIA], audio: point[MEDIA], videoAt: point[AT], audioAt: point[AT] });
    const image = document.createElement("img");
    image.src = address("thumbnail", point[ID]);
    image.alt = "";
    player.append(image, line("span", "", "icon"), line("span", "", "progress"));
  } else {
    player.disabled = true;
    player.append(line("span", "Nothing to play", "blank"), line("span", "", "icon"), line("span", "", "progress"));
  }
  const title = line("p", "", "title");
  const link = line("a", point[TITLE], "");
  link.href = address("video", point[ID]);
  title.append(link);
  const genre = line("p", genres[point[GENRE]] ?? "", "small");
  card.replaceChildren(player, title, line("p", point[ARTIST], "artist"), genre, line("p", point[ID], "id"));
  document.getElementById("said").textContent = [point[TITLE], point[ARTIST], genres[point[GENRE]]].filter(Boolean).join(", ");
}

function play() {
  const player = card.querySelector(".player");
  if (player && !player.disabled) toggle(player);
}

const open = (point) => { location.href = address("video", point[ID]); };

function zoom(factor) {
  if (!factor) view = { scale: 1, x: 0, y: 0 };
  else view.scale = Math.max(1, Math.min(40, view.scale * factor));
  const seen = visible();
  if (factor && chosen) [view.x, view.y] = [chosen[X], chosen[Y]];
  else if (factor && seen.length) [view.x, view.y] = [X, Y].map((axis) => seen.reduce((sum, point) => sum + point[axis], 0) / seen.length);
  draw();
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (arrows[event.key]) choose(towards(...arrows[event.key]) ?? chosen);
  else if (event.key === " ") play();
  else if (event.key === "Enter" && chosen) open(chosen);
  else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "0") zoom(0);
  else return;
  event.preventDefault();
});

canvas.addEventListener("focus", () => { if (!chosen && points.length) choose(towards(1, 0)); });

canvas.addEventListener("pointermove", (event) => {
  if (drag && event.buttons) {
    const { width, height } = size();
    const stretch = Math.max(1, Math.min(1.6, width / height));
    view.x -= event.movementX / (unit() * stretch);
    view.y -= event.movementY / unit();
    drag.moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    draw();
    return;
  }
  if (event.pointerType === "touch") return;
  const found = nearest(event.offsetX, event.offsetY);
  canvas.style.cursor = found ? "pointer" : "crosshair";
  if (!found || found === chosen) return;
  choose(found);
  clearTimeout(rest);
  rest = setTimeout(() => chosen === found && play(), REST_MS);
});
canvas.addEventListener("pointerleave", () => clearTimeout(rest));
canvas.addEventListener("pointerdown", () => { drag = { moved: 0 }; });
canvas.addEventListener("click", (event) => {
  const moved = drag?.moved ?? 0;
  drag = null;
  if (moved > 6) return;
  const found = nearest(event.offsetX, event.offsetY, 24);
  // On touch screens the first tap selects, the second opens.
  if (found && event.pointerType === "touch" && found !== chosen) choose(found);
  else if (found) open(found);
});
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && document.activeElement !== canvas) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400));
}, { passive: false });

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
}

const boxes = [...document.querySelectorAll("[data-genre]")];

function filter() {
  shown = new Set(boxes.filter((box) => box.checked).map((box) => Number(box.dataset.genre)));
  if (chosen && !shown.has(chosen[GENRE])) choose(null);
  draw();
}

function all(checked) {
  for (const box of boxes) box.checked = checked;
  filter();
}

for (const box of boxes) box.addEventListener("change", filter);
document.getElementById("all-genres").addEventListener("click", () => all(true));
document.getElementById("no-genres").addEventListener("click", () => all(false));
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

async function load() {
  const answer = await fetch(`${document.documentElement.dataset.root}/map.json`);
  if (answer.status === 202) {
    setTimeout(load, 1000);
    return;
  }
  if (!answer.ok) {
    state.classList.remove("busy");
    state.textContent = (await answer.json()).detail;
    return;
  }
  ({ points, genres } = await answer.json());
  state.classList.remove("busy");
  filter();
  canvas.dataset.ready = String(points.length);
}

/** For tests and the curious: where a video is drawn on the canvas. */
canvas.placeOf = (id) => place(points.find((point) => point[ID] === id));

load();
