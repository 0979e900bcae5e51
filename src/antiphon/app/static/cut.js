// The cut room: rows that go with an item, chosen by number keys, shifted by dragging, exported. Every state is an
// address. Without this script the page shows both players, and links choose, shift and export.
import { clock } from "./clock.js";
import { RoomAddress } from "./cut-address.js";
import { CutPlayer } from "./cut-player.js";
import { Lanes } from "./cut-lanes.js";
import { saveFilm } from "./cut-export.js";
import { placeToMeet, snapped, stepped } from "./snapping.js";
import { outlineOf } from "./waveform.js";

const FRAME_S = 0.04;
const STEP_S = 0.1;
const room = document.querySelector("[data-room]");

if (room) start();

function start() {
  const songs = room.dataset.target === "audio";
  const [pictures, song] = [document.getElementById("pictures"), document.getElementById("song")];
  const own = songs ? pictures : song;
  const first = songs ? song : pictures;
  const lengthS = Number(room.dataset.length);
  const rows = [...room.querySelectorAll("[data-row]")].map((lane) => rowOf(lane));
  const state = {
    chosen: rows.find((row) => row.link.hasAttribute("aria-current")),
    from: room.dataset.from === undefined ? null : Number(room.dataset.from),
    to: room.dataset.to === undefined ? null : Number(room.dataset.to),
  };
  const player = new CutPlayer(own, !songs);
  const place = new RoomAddress();
  const lanes = new Lanes(room, rows, lengthS, songs);
  const $ = (id) => document.getElementById(id);
  let ownMarks = [];
  lanes.zoomTo(Number(new URLSearchParams(location.search).get("zoom")) || 1, Number(room.dataset.start));

  for (const element of [pictures, song]) element.controls = false;
  song.hidden = true;
  for (const one of ["transport", "keep", "link", "head", "how"]) $(one).hidden = false;
  $("seek").disabled = false;
  room.classList.add("live");
  prepare();
  player.onTick = tick;
  choose(state.chosen, false);
  whenReady(own, () => player.seek(Number(room.dataset.start)));

  /** One element for each row, at its place before it is asked for. */
  function prepare() {
    for (const row of rows) {
      row.element = row === state.chosen ? first : document.createElement(songs ? "audio" : "video");
      if (row.element === first) continue;
      row.element.preload = "auto";
      row.element.playsInline = true;
      row.element.muted = true;
      row.element.src = row.media;
      if (!songs) {
        row.element.className = "waiting";
        $("screen").append(row.element);
      }
      whenReady(row.element, () => { row.element.currentTime = Math.max(0, player.now + row.shift); });
    }
    outlineOf(room.dataset.outline).then((found) => {
      ownMarks = found?.[songs ? "cuts_s" : "beats_s"] ?? [];
      lanes.drawOwn(found);
    });
    for (const row of rows) {
      outlineOf(row.outline).then((found) => {
        row.marks = found?.[songs ? "beats_s" : "cuts_s"] ?? [];
        lanes.drawRow(row, found);
      });
    }
  }

  async function choose(row, told = true) {
    state.chosen = row;
    show();
    await player.change(row.element, row.shift);
    if (!songs) for (const one of rows) one.element.classList.toggle("waiting", one.element !== player.other);
    if (told) say(`${row.title}${row.artist ? ` by ${row.artist}` : ""}`);
  }

  function shift(row, to, told = true) {
    row.shift = Math.round(Math.min(Math.max(to, -lengthS + FRAME_S), row.length - FRAME_S) * 1000) / 1000;
    if (row === state.chosen) player.shiftTo(row.shift);
    show();
    if (told) say(lanes.place(row));
  }

  /** The beats of the rows and the cut that they are to fall on, or the reverse, where snapping is on. */
  const meeting = () => placeToMeet(ownMarks, player.now);
  const snaps = () => $("snap").checked;

  function nudge(row, direction, finely) {
    const on = !finely && snaps() ? stepped(row.shift, direction, row.marks, meeting()) : undefined;
    shift(row, on ?? row.shift + direction * (finely ? FRAME_S : STEP_S));
  }

  /** Set everything that says what is chosen, the address too. */
  function show() {
    const { chosen } = state;
    lanes.show(chosen, state.from, state.to);
    $("choice-title").firstElementChild.textContent = chosen.title;
    $("choice-title").firstElementChild.href = chosen.page;
    $("choice-artist").textContent = chosen.artist;
    $("choice-cue").textContent = cue(chosen);
    $("whole").hidden = state.from === null && state.to === null;
    $("keep").setAttribute("aria-pressed", String(chosen.kept));
    $("keep").querySelector(".label").textContent = chosen.kept ? "Marked" : "Mark this cut";
    const asked = address();
    place.write(asked);
    for (const one of ["edl", "csv"]) $(one).href = `${$(one).pathname}?${asked}`;
    $("export").action = `${new URL($("export").action).pathname}?${asked}`;
    for (const row of rows) row.link.href = `?${address(row)}`;
  }

  function address(chosen = state.chosen) {
    const asked = new URLSearchParams(location.search);
    for (const name of ["with", "shift", "from", "to", "keep", "zoom"]) asked.delete(name);
    if (lanes.zoom > 1) asked.set("zoom", String(lanes.zoom));
    asked.set("target", room.dataset.target);
    asked.set("with", chosen.id);
    asked.set("shift", chosen.shift.toFixed(3));
    if (state.from !== null) asked.set("from", state.from.toFixed(3));
    if (state.to !== null) asked.set("to", state.to.toFixed(3));
    for (const row of rows) if (row.kept) asked.append("keep", `${row.shift.toFixed(3)}~${row.id}`);
    return asked;
  }

  /** The stretch that is exported, as the service bounds it. */
  function span(row) {
    const start = Math.max(0, -row.shift, state.from ?? 0);
    return [start, Math.max(start, Math.min(lengthS, row.length - row.shift, state.to ?? Infinity))];
  }

  function cue(row) {
    const [start, end] = span(row);
    if (end <= start) return "They never play together here.";
    const [own, other] = [clock(start), clock(start + row.shift)];
    return `Song from ${songs ? other : own}, pictures from ${songs ? own : other}, ${(end - start).toFixed(1)} s together.`;
  }

  /** Show more or less of the time line, around the playhead. */
  function zoom(factor) {
    lanes.zoomTo(factor ? lanes.zoom * factor : 1, player.now);
    show();
    say(lanes.zoom > 1 ? `${Math.round(lanes.zoom)} times larger` : "The whole time line");
  }

  function tick() {
    $("now").textContent = `${clock(player.now)}.${Math.floor((player.now % 1) * 10)}`;
    lanes.head(player.now);
    if (document.activeElement !== $("seek") || player.wanted) $("seek").value = player.now;
    $("seek").setAttribute("aria-valuetext", clock(player.now));
    const button = $("play");
    if ((button.getAttribute("aria-pressed") === "true") !== player.wanted) {
      button.setAttribute("aria-pressed", String(player.wanted));
      button.querySelector(".label").textContent = player.wanted ? "Pause" : "Play";
    }
    const [start, end] = span(state.chosen);
    if (player.wanted && state.to !== null && player.now >= end && end > start) {
      player.pause();
      player.seek(start);
    }
  }

  function play() {
    if (player.wanted) return player.pause();
    if (player.now >= lengthS - 0.2) player.seek(span(state.chosen)[0]);
    return player.play();
  }

  function keep() {
    state.chosen.kept = !state.chosen.kept;
    show();
    say(state.chosen.kept ? "Marked" : "No longer marked");
  }

  function bound(name) {
    state[name] = Math.round(player.now * 1000) / 1000;
    if (state.from !== null && state.to !== null && state.to <= state.from) state[name === "from" ? "to" : "from"] = null;
    show();
  }

  const full = () => (document.fullscreenElement ? document.exitFullscreen() : $("screen").requestFullscreen?.());
  const keys = { " ": play, h: keep, i: () => bound("from"), o: () => bound("to"), f: full, "+": () => zoom(2), "-": () => zoom(0.5), 0: () => zoom(0) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=range], [type=checkbox]), textarea, select")) return;
    if (event.target.matches("button, a, summary") && [" ", "Enter"].includes(event.key)) return;
    const arrow = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    if (arrow && event.target !== $("seek") && event.target !== $("volume")) {
      // To the right is later, so less of the other one has passed.
      nudge(rows.find((row) => row.track === event.target) ?? state.chosen, arrow, event.shiftKey);
    } else if (rows[Number(event.key) - 1]) choose(rows[Number(event.key) - 1]);
    else if (keys[event.key] && event.target !== $("snap")) keys[event.key]();
    else return;
    event.preventDefault();
  });

  $("play").addEventListener("click", play);
  $("keep").addEventListener("click", keep);
  $("full").addEventListener("click", full);
  $("zoom-in").addEventListener("click", () => zoom(2));
  $("zoom-out").addEventListener("click", () => zoom(0.5));
  $("set-from").addEventListener("click", () => bound("from"));
  $("set-to").addEventListener("click", () => bound("to"));
  $("whole").addEventListener("click", () => { state.from = state.to = null; show(); });
  $("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  $("seek").addEventListener("input", (event) => player.seek(Number(event.target.value)));
  $("link").addEventListener("click", async () => {
    const link = new URL(`?${address()}`, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      tell("The link is copied.");
    } catch {
      tell(link); // not allowed without https: to be copied by hand
    }
  });
  $("export").addEventListener("submit", async (event) => {
    event.preventDefault();
    $("mp4").disabled = true;
    $("exporting").classList.add("busy");
    tell("Making the film…");
    tell(await saveFilm($("export").action));
    $("exporting").classList.remove("busy");
    $("mp4").disabled = false;
  });
  $("screen").addEventListener("click", play);
  for (const row of rows) {
    row.link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(row);
    });
    lanes.onDrag(row, {
      begin: () => row !== state.chosen && choose(row, false),
      move: (to) => shift(row, snaps() ? snapped(to, row.marks, meeting(), lanes.nearS) : to, false),
      end: () => {
        place.settle();
        say(lanes.place(row));
      },
    });
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  function tell(text) {
    $("exporting").textContent = text;
  }
}

function rowOf(lane) {
  const { id, title, artist, page, still, media, outline, length, shift, kept } = lane.dataset;
  const [link, track] = [lane.querySelector(".name"), lane.querySelector(".track")];
  return { lane, link, track, id, title, artist, page, still, media, outline, marks: [], length: Number(length), shift: Number(shift), kept: kept === "true" };
}

function whenReady(element, then) {
  if (element.readyState > 0) then();
  else element.addEventListener("loadedmetadata", then, { once: true });
}
