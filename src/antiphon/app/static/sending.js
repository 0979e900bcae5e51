// The form that sends a file: choosing or dropping one fills it in, its buttons ask, the answer is set into the page.
// Without this script the browser sends the form, and the answer is a page of its own.
import { rememberSent } from "./players.js";

export function sendFiles(say) {
  const form = document.getElementById("drop");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const buttons = form.querySelectorAll("button");
  const state = form.querySelector("#sending");
  const results = document.getElementById("results");
  const conditions = form.querySelector("[data-conditions]");
  conditions.hidden = false; // only this script sends them: a file that the browser sends itself goes without

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
    asked.upload.addEventListener("progress", ({ loaded, total }) => tell(`Sending: ${Math.round((100 * loaded) / total)}%`, true));
    asked.upload.addEventListener("load", () => tell("Listening and looking", true));
    asked.addEventListener("load", () => {
      tell("");
      pause(false);
      show(asked.responseText);
    });
    asked.addEventListener("error", () => {
      pause(false);
      tell("The service refused the file or does not answer.");
    });
    pause(true);
    tell("Sending", true);
    asked.send(file);
  }

  function filled() {
    const most = Number(form.dataset.maxBytes);
    const wrong = input.files[0]?.size > most ? `This file is larger than ${Math.round(most / 1048576)} MiB.` : "";
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
