// One key, one element: pressing a key does what clicking the element with that data-key does.
// So every key is also a button, and a screen's keys are those that stand in its HTML.

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

// While an input method composes Chinese, keys belong to it: isComposing, or code 229 in older browsers.
const composing = (event) => event.isComposing || event.keyCode === 229;

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (composing(event) || event.defaultPrevented) return;
    const typing = event.target.closest?.(TYPING);
    if (typing) {
      if (event.key === "Escape") typing.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // Space and Enter on a focused control are the control's own.
    if ([" ", "Enter"].includes(event.key) && event.target.closest?.("button, summary, a, input")) return;
    const scope = document.querySelector("dialog[open]") ?? document;
    const found = scope.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
    if (!found) return;
    event.preventDefault();
    if (event.repeat && !found.hasAttribute("data-repeat")) return; // a key held down decides once
    act(found);
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens);
      if (dialog?.showModal) {
        event.preventDefault();
        dialog.showModal();
      }
    }
    if (event.target.closest?.("[data-closes]")) event.target.closest("dialog")?.close();
  });
}

function act(element) {
  if (element.matches(TYPING)) {
    element.closest("details")?.setAttribute("open", "");
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}
