// What makes the console quick. Every page works without it: forms post and links open.
import { listen } from "./keys.js";
import { desk } from "./queue.js";
import { sheet } from "./clue.js";

listen();
desk(document.querySelector("[data-list]"));
sheet(document.querySelector("[data-clue]"));

// A disclosure in the header closes when one clicks elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.account[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
