// The form that sends a file: by dropping or choosing it, with progress, the answer set into the page.
import { rememberSent } from "./players.js";

export function sendFiles(say) {
  const form = document.getElementById("drop");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button");
  const state = form.querySelector("#sending");
  const results = document.getElementById("results");

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

  function send(file) {
    if (file.size > Number(form.dataset.mostBytes)) {
      tell(`This file is larger than ${Math.round(form.dataset.mostBytes / 1048576)} MiB.`);
      return;
    }
    rememberSent(file);
    const asked = new XMLHttpRequest();
    asked.open("POST", `/find/file?question=${form.elements.question.value}`);
    asked.setRequestHeader("Content-Type", /^(audio|video)\//.test(file.type) ? file.type : "application/octet-stream");
    asked.upload.addEventListener("progress", ({ loaded, total }) => tell(`Sending: ${Math.round((100 * loaded) / total)}%`, true));
    asked.upload.addEventListener("load", () => tell("Listening and looking", true));
    asked.addEventListener("load", () => {
      tell("");
      button.disabled = false;
      show(asked.responseText);
    });
    asked.addEventListener("error", () => {
      button.disabled = false;
      tell("The service refused the file or does not answer.");
    });
    button.disabled = true;
    tell("Sending", true);
    asked.send(file);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files.length) send(input.files[0]);
    else input.click();
  });
  input.addEventListener("change", () => input.files.length && send(input.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragover");
    });
  }
  form.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file) send(file);
  });
}
