// The queue: a current row that j and k move, a preview that follows it, and a selection that decisions act on.

export function desk(list) {
  if (!list) return;
  const rows = [...list.querySelectorAll("[data-row]")];
  const form = list.closest("form");
  let at = Math.max(0, rows.findIndex((row) => row.dataset.row === location.hash.slice(1)));

  const show = (index, { focus = true } = {}) => {
    if (!rows.length) return;
    rows[at]?.setAttribute("aria-current", "false");
    at = Math.min(Math.max(index, 0), rows.length - 1);
    const row = rows[at];
    row.setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    if (focus) row.querySelector("a")?.focus({ preventScroll: true });
    clearTimeout(show.soon);
    show.soon = setTimeout(() => preview(row), 60); // a held j does not ask for every row it passes
  };

  const preview = (row) => {
    const pane = document.getElementById("preview");
    if (!pane || getComputedStyle(pane).display === "none" || pane.dataset.shows === row.dataset.row) return;
    pane.dataset.shows = row.dataset.row;
    if (window.htmx) window.htmx.ajax("GET", row.dataset.preview, { target: "#preview", swap: "innerHTML" });
  };

  const acts = {
    next: () => show(at + 1),
    previous: () => show(at - 1),
    select: () => rows[at]?.querySelector("input[type=checkbox]")?.click(),
    open: () => rows[at]?.querySelector("a")?.click(),
    preview: () => { delete document.getElementById("preview")?.dataset.shows; if (rows[at]) preview(rows[at]); },
  };
  document.addEventListener("click", (event) => acts[event.target.closest?.("[data-act]")?.dataset.act]?.());
  for (const [index, row] of rows.entries()) {
    row.addEventListener("click", (event) => event.target.closest("a, input") || show(index, { focus: false }));
    row.querySelector("a")?.addEventListener("focus", () => index === at || show(index, { focus: false }));
  }

  // With nothing selected a decision means the current row. The ids are frozen in the form when it is sent.
  form?.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[name=decision]") || form.querySelector("[name=id]:checked") || !rows.length) return;
    rows[at].querySelector("[name=id]").checked = true;
  });
  form?.addEventListener("change", () => {
    const chosen = form.querySelectorAll("[name=id]:checked").length;
    for (const count of form.querySelectorAll("[data-chosen]")) count.textContent = chosen;
  });
  show(at, { focus: rows.length > 0 && !document.querySelector("dialog[open], [autofocus]") });
}
