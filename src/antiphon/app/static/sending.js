// Files that are dropped on any page, or chosen in the form: sent, and followed to the page that they get.
// Without this script the browser submits the form and goes there.

export function sendFiles(say) {
  const maxBytes = Number(document.documentElement.dataset.maxBytes ?? 0);
  if (!maxBytes) return;
  const form = document.getElementById("drop");
  const input = form?.querySelector("input[type=file]");
  const state = form?.querySelector("#sending") ?? document.getElementById("dropping");
  const root = document.documentElement.dataset.root;
  let sending = false;

  const tell = (text, busy = false) => {
    state.hidden = !text;
    state.textContent = text;
    state.classList.toggle("busy", busy);
  };

  const tooLarge = (file) => (file.size > maxBytes ? `This file is larger than ${Math.round(maxBytes / 1048576)} MiB.` : "");

  function pause(paused) {
    sending = paused;
    form?.querySelectorAll("button").forEach((button) => { button.disabled = paused; });
  }

  function send(file, address) {
    if (sending) return;
    const asked = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    asked.open("POST", address);
    asked.setRequestHeader("Accept", "application/json");
    asked.setRequestHeader("HX-Request", "true");
    asked.upload.addEventListener("progress", ({ loaded, total }) => tell(`Sending: ${Math.round((100 * loaded) / total)}%`, true));
    asked.addEventListener("load", () => {
      pause(false);
      if (asked.status === 201) location.assign(JSON.parse(asked.responseText).page);
      else tell(reason(asked.responseText));
    });
    asked.addEventListener("error", () => {
      pause(false);
      tell("The service refused the file or does not respond.");
    });
    pause(true);
    tell("Sending", true);
    say("Sending the file");
    asked.send(body);
  }

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    send(input.files[0], (event.submitter ?? form.querySelector("button")).formAction);
  });
  input?.addEventListener("change", () => {
    const wrong = input.files[0] ? tooLarge(input.files[0]) : "";
    input.setCustomValidity(wrong);
    tell(wrong);
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", name === "dragover");
    });
  }
  document.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    if (tooLarge(file)) tell(tooLarge(file));
    else send(file, `${root}/find/file`);
  });
  window.addEventListener("pageshow", () => pause(false)); // back from the file's page
}

/** Why the service refused, as it says it itself. */
function reason(markup) {
  const said = new DOMParser().parseFromString(markup, "text/html").querySelector("[role=alert]");
  return said?.textContent.trim() ?? "The service refused the file.";
}
