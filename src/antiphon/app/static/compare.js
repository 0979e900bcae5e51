// Two music videos side by side, played in step; one of them is heard. Without this script each plays by itself.
import { Pair } from "./pair.js";

const sides = [...document.querySelectorAll(".side")];
if (sides.length === 2) start();

function start() {
  const pair = new Pair(sides.map((element) => ({ element, at: 0 })));
  const [step, both, place] = ["step", "both", "place"].map((id) => document.getElementById(id));
  const choices = [...document.querySelectorAll("[name=hear]")];
  step.hidden = false;

  function hear(which) {
    choices[which].checked = true;
    sides.forEach((side, number) => { side.muted = number !== which; });
  }

  function toggle() {
    if (pair.wanted) return pair.pause();
    if (pair.now >= pair.span[1] - 0.2) pair.seek(0);
    return pair.play();
  }

  pair.onTick = () => {
    const [first, last] = pair.span;
    [place.min, place.max] = [first, last];
    if (document.activeElement !== place || pair.wanted) place.value = pair.now;
    both.setAttribute("aria-pressed", String(pair.wanted));
    both.querySelector(".label").textContent = pair.wanted ? "Pause both" : "Play both";
  };
  both.addEventListener("click", toggle);
  place.addEventListener("input", () => pair.seek(Number(place.value)));
  choices.forEach((choice, number) => choice.addEventListener("change", () => hear(number)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("button, a, summary, video, audio")) return;
    if (event.key === " ") toggle();
    else if (choices[Number(event.key) - 1]) hear(Number(event.key) - 1);
    else return;
    event.preventDefault();
  });
  hear(0);
  pair.ready();
}
