// Keys for people who answer a hundred questions a day; every one of them has a button or a link beside it.
const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a"));
let at = -1;

const move = (step) => {
  const all = rows();
  if (!all.length) return;
  at = Math.max(0, Math.min(all.length - 1, at + step));
  const link = all[at].querySelector("a");
  link.focus();
  all[at].scrollIntoView({ block: "nearest" });
};

const keys = {
  j: () => move(1),
  k: () => move(-1),
  e: () => document.getElementById("reason")?.focus(),
  q: () => location.assign("/review"),
  g: () => location.assign("/"),
  "/": () => document.querySelector("input[type=search], input[name=q]")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
  const button = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (button) { event.preventDefault(); button.click(); return; }
  if (keys[key]) { event.preventDefault(); keys[key](); }
});
