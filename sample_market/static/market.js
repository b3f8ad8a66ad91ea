// Clocks, viewer numbers and pop-ups. A "fixed" clock runs to a stated end by the market's own time and stays at its end;
// a "restart" clock counts from the moment the page was opened, every time anew; "random-viewers" makes its number up.
window.startMarket = function () {
  const two = (n) => String(n).padStart(2, "0");
  const show = (s) => two(Math.floor(s / 3600)) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(Math.floor(s) % 60);
  const run = (box, end, now) => {
    const clock = box.querySelector(".clock");
    const tick = () => {
      const left = (end - now()) / 1000;
      if (left > 0) { clock.textContent = show(left); return; }
      if (box.dataset.kind === "restart") { end = now() + Number(box.dataset.seconds) * 1000; return; }
      clock.textContent = box.dataset.over;
    };
    tick();
    setInterval(tick, 500);
  };
  document.querySelectorAll(".timer:not([data-on])").forEach((box) => {
    box.dataset.on = "1";
    if (box.dataset.kind === "restart") {
      run(box, Date.now() + Number(box.dataset.seconds) * 1000, Date.now);
    } else {
      fetch("/api/now").then((r) => r.json()).then((d) => {
        const shift = Date.parse(d.now) - Date.now();
        run(box, Date.parse(box.dataset.ends), () => Date.now() + shift);
      });
    }
  });
  document.querySelectorAll(".live:not([data-on])").forEach((box) => {
    box.dataset.on = "1";
    const low = Number(box.dataset.low), high = Number(box.dataset.high);
    const roll = () => { box.querySelector(".n").textContent = low + Math.floor(Math.random() * (high - low)); };
    roll();
    setInterval(roll, 3000);
  });
  document.querySelectorAll(".popup-close").forEach((b) => b.addEventListener("click", () => b.parentElement.remove()));
};
window.startMarket();
