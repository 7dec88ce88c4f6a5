// Keys for people who answer a hundred questions a day; every one of them has a button or a link beside it.
const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a"));
const off = document.body.dataset.keys === "off";
let at = -1, leading = false;

const move = (step) => {
  const all = rows();
  if (!all.length) return;
  at = Math.max(0, Math.min(all.length - 1, at + step));
  all[at].querySelector("a").focus();
  all[at].scrollIntoView({ block: "nearest" });
};
const field = (id) => { const found = document.getElementById(id); found?.focus(); found?.scrollIntoView({ block: "center" }); };
const tick = () => { const box = rows()[at]?.querySelector("input[type=checkbox]"); box?.click(); };
const answer = (word) => { // on the queue: the line itself, as the page of the question would
  const row = rows()[at], form = document.getElementById("bulk");
  if (!row || !form) return;
  form.querySelectorAll("input[name=task]").forEach((box) => { box.checked = box.value === row.dataset.task; });
  form.querySelector(`button[value=${word}]`)?.click();
};
const places = { t: "/", r: "/review", d: "/decisions", p: "/publish", f: "/publish", c: "/drift", u: "/rules" };
const keys = {
  j: () => move(1), k: () => move(-1), x: tick, y: () => answer("same"), n: () => answer("different"),
  e: () => field("reason"), c: () => field("comment"), i: () => document.getElementById("impact")?.scrollIntoView(),
  g: () => { leading = true; setTimeout(() => { leading = false; }, 1200); },
  "/": () => document.querySelector("input[type=search], input[name=q]")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (off || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
  if (leading && places[key]) { event.preventDefault(); location.assign(places[key]); return; }
  const button = key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (button) { event.preventDefault(); button.click(); return; }
  if (keys[key]) { event.preventDefault(); keys[key](); }
});

const count = () => { // the button says how many
  const ticked = document.querySelectorAll("#bulk input[name=task]:checked").length;
  document.querySelectorAll("[data-bulk]").forEach((button) => { button.textContent = button.dataset.bulk.replace("#", ticked); });
};
document.getElementById("bulk")?.addEventListener("change", count);
if (document.getElementById("bulk")) { count(); move(1); } else document.querySelector("#answers button")?.focus();

document.getElementById("live")?.addEventListener("change", (event) => event.currentTarget.requestSubmit());
