"use strict";
// Buttons that copy what their data-copy names: a table as tab-separated text, anything else as it stands.
(() => {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      const cell = (one) => (one.querySelector("data") ? one.querySelector("data").value : one.textContent);
      const text = source.rows ? [...source.rows].map((row) => [...row.cells].map(cell).join("\t")).join("\n") : source.textContent;
      const status = button.parentElement.querySelector("[role=status]");
      try {
        await navigator.clipboard.writeText(text);
        status.textContent = "Copied.";
      } catch {
        const folded = source.closest("details");
        if (folded) folded.open = true; // what is not shown cannot be selected
        getSelection().selectAllChildren(source);
        status.textContent = "Selected: copy with the keyboard.";
      }
    });
  }
})();
