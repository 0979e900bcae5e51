// The upload form: choose or drop a file, submit, and show the results in the page.
// Without this script the browser submits the form and shows a results page.
import { rememberSent } from "./players.js";

export function sendFiles(say) {
  const form = document.getElementById("drop");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const buttons = form.querySelectorAll("button");
  const state = form.querySelector("#sending");
  const results = document.getElementById("results");
  const conditions = form.querySelector("[data-conditions]");
  conditions.hidden = false; // only this script sends them

  const tell = (text, busy = false) => {
    state.textContent = text;
    state.classList.toggle("busy", busy);
  };

  /** Set what the service has answered into the page. */
  function show(markup) {
    results.innerHTML = markup;
    results.scrollIntoView({ block: "start" });
    results.focus({ preventScroll: true });
    say(`${results.querySelectorAll("[data-results] > li").length} results`);
  }

  const pause = (paused) => buttons.forEach((button) => { button.disabled = paused; });

  /** The address with the conditions that are set. */
  function withConditions(address) {
    const asked = new URL(address, window.location.href);
    for (const field of conditions.querySelectorAll("select, input")) {
      if (field.value && (field.type !== "checkbox" || field.checked)) asked.searchParams.append(field.name, field.value);
    }
    return asked;
  }

  function send(file, address) {
    rememberSent(file);
    const asked = new XMLHttpRequest();
    asked.open("POST", withConditions(address));
    asked.setRequestHeader("HX-Request", "true");
    asked.setRequestHeader("Content-Type", /^(audio|video)\//.test(file.type) ? file.type : "application/octet-stream");
    asked.upload.addEventListener("progress", ({ loaded, total }) => tell(`Uploading: ${Math.round((100 * loaded) / total)}%`, true));
    asked.upload.addEventListener("load", () => tell("Processing", true));
    asked.addEventListener("load", () => {
      tell("");
      pause(false);
      show(asked.responseText);
    });
    asked.addEventListener("error", () => {
      pause(false);
      tell("The service refused the file or does not respond.");
    });
    pause(true);
    tell("Uploading", true);
    asked.send(file);
  }

  function filled() {
    const maxBytes = Number(form.dataset.maxBytes);
    const wrong = input.files[0]?.size > maxBytes ? `This file is larger than ${Math.round(maxBytes / 1048576)} MiB.` : "";
    input.setCustomValidity(wrong);
    tell(wrong);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(input.files[0], (event.submitter ?? buttons[0]).formAction);
  });
  input.addEventListener("change", filled);
  for (const name of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragover");
    });
  }
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    filled();
    buttons[0].focus();
  });
}
