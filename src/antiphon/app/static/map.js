// The map: coloured points. Pointing plays, clicking opens, arrows move, a lasso selects.
import { ARTIST, GENRE, ID, TITLE, address, cardOf } from "./map-card.js";
import { Drawing } from "./map-drawing.js";
import { FIRST_NAMED, Selection, watchLasso } from "./map-selection.js";
import { stopPlaying, toggle } from "./players.js";

const root = document.documentElement.dataset.root;
const canvas = document.getElementById("map");
const state = document.getElementById("map-state");
const card = document.getElementById("card");
const legend = document.getElementById("legend");
const asks = document.getElementById("map-asks");
const found = document.getElementById("map-found");
const REST_MS = 350;
const MAX_TOLD = 16000; // Characters of a form.
const hint = card.firstElementChild;
const guest = canvas.dataset.guest ? JSON.parse(canvas.dataset.guest) : null; // A client's file.
const near = JSON.parse(canvas.dataset.near); // Pairs of row and title: what is most like the music video, or the file, that the address names.

const drawing = new Drawing(canvas);
const selection = new Selection(drawing, () => { draw(); nameSelected(); });
const isLasso = watchLasso(drawing, selection);
const blocks = new Map();
let blockSize = 100;
let drag = null;
let rest = 0;
let moved = false; // A click that ends a drag opens nothing.

/** Ask the service about this map; on another one, numbers of points mean nothing. */
async function ask(place, more = {}) {
  const answer = await fetch(`${root}/map/${place}?${new URLSearchParams({ version: canvas.dataset.version, ...more })}`);
  if (answer.status === 409) location.reload();
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer;
}

/** What is known of a point, asked for by the hundred. */
async function item(row) {
  if (row === drawing.guest) return guest.item;
  const first = row - (row % blockSize);
  if (!blocks.has(first)) blocks.set(first, ask("items", { first }).then((answer) => answer.json()));
  return (await blocks.get(first))[row - first];
}

function draw() {
  const inside = drawing.draw();
  state.hidden = inside > 0 || !drawing.count;
  const none = legend.querySelector("[data-colour]") && !legend.querySelector("[data-colour]:checked");
  state.textContent = none ? "Nothing is ticked." : "There is nothing here. “whole” shows the whole map.";
}

async function nameSelected() {
  const rows = selection.rows;
  const first = await Promise.all(rows.slice(0, FIRST_NAMED).map(item));
  if (rows.length === drawing.marked) selection.name(first.map((one) => one[TITLE]), rows.length);
  if (rows.join(",").length > MAX_TOLD - 500) selection.said.textContent = "These are more than a list holds: select fewer to put them on one.";
}

/** Choose a point: show its card, and tell its name to those who listen. */
async function choose(row) {
  if (row === drawing.chosen) return;
  drawing.chosen = row;
  stopPlaying();
  draw();
  if (row < 0) {
    card.replaceChildren(hint);
    return;
  }
  const about = await item(row);
  if (drawing.chosen !== row) return;
  card.replaceChildren(...cardOf(about));
  document.getElementById("said").textContent = [about[TITLE], about[ARTIST], about[GENRE]].filter(Boolean).join(", ");
}

function play() {
  const player = card.querySelector(".player");
  if (player && !player.disabled) toggle(player);
}

async function open(row) { location.href = address("video", (await item(row))[ID]); }

function zoom(factor, towards = drawing.chosen) {
  const { view } = drawing;
  if (!factor) Object.assign(view, { scale: 1, x: 0, y: 0 });
  else view.scale = Math.max(Math.min(1, view.scale), Math.min(200, view.scale * factor));
  if (factor && towards >= 0) Object.assign(view, { x: drawing.xs[towards], y: drawing.ys[towards] });
  draw();
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { chosen } = drawing;
  if (arrows[event.key]) {
    const next = drawing.towards(...arrows[event.key]);
    if (next >= 0) choose(next);
  } else if (event.key === " ") play();
  else if (event.key === "Enter" && chosen >= 0) open(chosen);
  else if (event.key === "x" && chosen >= 0 && chosen !== drawing.guest) selection.toggle(chosen);
  else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "0") zoom(0);
  else return;
  event.preventDefault();
});

canvas.addEventListener("focus", () => {
  if (drawing.chosen < 0 && drawing.count && !drag) choose(drawing.towards(1, 0));
});

canvas.addEventListener("pointermove", (event) => {
  if (isLasso()) return;
  if (drag && event.buttons) {
    drawing.view.x -= event.movementX / drawing.unitX;
    drawing.view.y -= event.movementY / drawing.unitY;
    drag.moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    draw();
    return;
  }
  if (event.pointerType === "touch") return;
  const near = drawing.nearest(event.offsetX, event.offsetY);
  canvas.style.cursor = near >= 0 ? "pointer" : "crosshair";
  if (near < 0 || near === drawing.chosen) return;
  choose(near);
  clearTimeout(rest);
  rest = setTimeout(() => drawing.chosen === near && play(), REST_MS);
});
canvas.addEventListener("pointerleave", () => clearTimeout(rest));
canvas.addEventListener("pointerdown", () => {
  drag = { moved: 0 };
  moved = isLasso();
});
canvas.addEventListener("click", (event) => {
  const distance = drag?.moved ?? 0;
  drag = null;
  if (distance > 6 || moved) return;
  const near = drawing.nearest(event.offsetX, event.offsetY, 24);
  // On touch screens the first tap selects, the second opens.
  if (near >= 0 && event.pointerType === "touch" && near !== drawing.chosen) choose(near);
  else if (near >= 0) open(near);
});
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && document.activeElement !== canvas) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400));
}, { passive: false });

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
}

/** Show the colours that are ticked in the legend. */
function filter() {
  const boxes = [...legend.querySelectorAll("[data-colour]")];
  drawing.shown.fill(boxes.length ? 0 : 1);
  for (const box of boxes) drawing.shown[Number(box.dataset.colour)] = Number(box.checked);
  if (drawing.chosen >= 0 && !drawing.isShown(drawing.chosen)) choose(-1);
  draw();
}

legend.addEventListener("change", filter);
legend.addEventListener("click", (event) => {
  if (!("all" in event.target.dataset)) return;
  for (const box of legend.querySelectorAll("[data-colour]")) box.checked = event.target.dataset.all === "1";
  filter();
});

/** Every state is an address. */
function remember() {
  const given = new URLSearchParams(new FormData(asks));
  if (!given.get("q")) given.delete("q");
  if (canvas.dataset.at) given.set("at", canvas.dataset.at);
  history.replaceState(null, "", `${root}/map?${given}`);
}

async function colour(isLegendHere) {
  const by = asks.elements.by.value;
  const [bytes, text] = await Promise.all([
    ask("colours", { by }).then((answer) => answer.arrayBuffer()),
    isLegendHere ? null : ask("legend", { by }).then((answer) => answer.text()),
  ]);
  if (text !== null) legend.innerHTML = text; // Rendered and escaped by the service.
  drawing.paint(bytes);
  drawing.isScale = legend.querySelector(".scale") !== null;
  canvas.dataset.by = by;
  filter();
}

async function find() {
  const words = asks.elements.q.value.trim();
  remember();
  if (!words) {
    found.textContent = "";
    selection.set([]);
    return;
  }
  const { rows, is_whole } = await (await ask("find", { q: words })).json();
  found.textContent = rows.length ? `${is_whole ? "" : "the first "}${rows.length.toLocaleString("en")} found` : "Nothing on the map has these words.";
  selection.set(rows);
  if (rows.length) choose(rows[0]);
}

asks.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
asks.elements.by.addEventListener("change", () => {
  remember();
  colour(false);
});

for (const button of document.querySelectorAll("[data-cluster]")) {
  button.addEventListener("click", async () => {
    const numbers = new Uint8Array(await (await ask("colours", { by: "cluster" })).arrayBuffer());
    const rows = [];
    numbers.forEach((number, row) => number === Number(button.dataset.cluster) && rows.push(row));
    selection.set(rows);
    selection.form.scrollIntoView({ block: "nearest" });
  });
}

addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawing.readStyle();
  draw();
});

/** Show where the music video, or the file, is that the address names, and name it with those that are most like it. */
async function showWhere(id) {
  const [row] = guest ? [drawing.guest] : (await (await ask("find", { id })).json()).rows;
  if (row === undefined) {
    found.textContent = "That music video is not on the map.";
    return;
  }
  drawing.labels = [[row, guest ? "your file" : (await item(row))[TITLE]], ...near];
  await choose(row);
  drawing.centre(row, near.map(([other]) => other));
  draw();
}

async function load() {
  const answer = await fetch(`${root}/map.json`);
  if (answer.status === 202) {
    setTimeout(load, 1000);
    return;
  }
  const about = await answer.json();
  if (!answer.ok) throw new Error(about.detail);
  if (about.version !== canvas.dataset.version) {
    location.reload();
    return;
  }
  blockSize = about.block;
  drawing.levels = about.levels;
  drawing.take(await (await ask("places")).arrayBuffer(), guest?.place);
  state.classList.remove("busy");
  await colour(legend.firstElementChild !== null);
  if (canvas.dataset.at) await showWhere(canvas.dataset.at);
  else if (asks.elements.q.value) await find();
  canvas.dataset.ready = String(drawing.count);
  if (about.being_made) awaitAnother(about.version);
}

/** Show a new layout when it is there. */
async function awaitAnother(version) {
  const about = await (await fetch(`${root}/map.json`)).json();
  if (about.version && about.version !== version) location.reload();
  else if (about.being_made) setTimeout(() => awaitAnother(version), 2000);
}

/** For tests and the curious: where a video is drawn on the canvas. */
canvas.placeOf = async (id) => drawing.place((await (await ask("find", { id })).json()).rows[0]);
canvas.drawing = drawing;

load().catch((error) => {
  state.hidden = false;
  state.classList.remove("busy");
  state.textContent = error.message;
});
