// The clue: a decision that needs a reason asks for it at once; the page goes on by itself after deciding.

export function sheet(clue) {
  if (!clue) return;
  const form = document.getElementById("decide");
  const reasons = document.getElementById("reasons");
  form?.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.hasAttribute("data-asks") && reasons?.showModal) {
      event.preventDefault();
      reasons.querySelector("[name=decision]").value = button.value;
      reasons.querySelector("[data-said]").textContent = button.dataset.word;
      reasons.querySelector("[name=comment]").value = form.elements.comment.value;
      reasons.showModal();
      return;
    }
    // A second press while the first is on its way must not reach the next clue.
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => form && delete form.dataset.sent);
}
