// The desk's script: keys, suggestions, templates without a reload, and parts of the page that renew themselves when
// something happens. Every page works without it. What the server sends is parsed by the browser as a document and
// moved over as nodes; no text becomes HTML here.

const page = document.body;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

// ── pages of the server ───────────────────────────────────────────────────────────────────────────

/** A page of this server, parsed; its scripts do not run. */
function load(path) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", path);
    request.setRequestHeader("Accept", "text/html");
    request.onload = () => {
      if (request.responseURL.includes("/staff/login")) location.assign(self());
      else if (request.status === 200 && request.response) resolve(request.response);
      else reject(new Error(`status ${request.status}`));
    };
    request.onerror = () => reject(new Error("no connection"));
    request.send();
  });
}

/** Where this page is read: after a form that failed, the address bar holds the form's address. */
const self = () => page.dataset.self || location.pathname + location.search;

// ── parts that renew themselves ───────────────────────────────────────────────────────────────────

const typing = (node) => !!node && node.matches("input:not([type=checkbox]), textarea, select");

/** Put the present state of a part in its place, without disturbing who works in it. */
function renew(part, fresh) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  if (typing(focused) || part.isEqualNode(fresh)) return;
  const ticked = new Set(all("[name=ticket]:checked", part).map((box) => box.value.split(":")[0]));
  const open = new Set(all("details[open] > summary", part).map((summary) => summary.textContent));
  const here = one(".here a", part)?.getAttribute("href");
  const at = focused?.getAttribute("href");
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const box of all("[name=ticket]", part)) box.checked = ticked.has(box.value.split(":")[0]);
  for (const summary of all("details > summary", part)) if (open.has(summary.textContent)) summary.parentElement.open = true;
  for (const link of all("a[href]", part)) {
    if (link.getAttribute("href") === here) link.closest("[data-row]")?.classList.add("here");
    if (link.getAttribute("href") === at) link.focus({ preventScroll: true });
  }
  prepare(part);
}

let renewing = false;
let again = false;

/** Fetch this page once more and take over what changed; never twice at the same time. */
async function refresh() {
  if (document.visibilityState === "hidden" || renewing) {
    again = true;
    return;
  }
  [renewing, again] = [true, false];
  try {
    const fresh = await load(self());
    for (const part of all("[data-part]")) {
      const its = fresh.getElementById(part.id);
      if (its) renew(part, its);
    }
    takeVersion(fresh);
  } catch {
    // the next event, or the next look at this window, tries again
  } finally {
    renewing = false;
    if (again && document.visibilityState !== "hidden") refresh();
  }
}

/** Nobody is writing: what is on the screen now has been seen, so a reply may refer to it. */
function takeVersion(fresh) {
  const box = one("#part-box");
  const version = fresh.body.dataset.version;
  if (!box || !version || all("textarea", box).some((area) => area.value.trim())) return;
  for (const field of all("[name=version]", box)) field.value = version;
  page.dataset.version = version;
}

function announce(text) {
  const place = one("#told") || document.createElement("p");
  place.id = "told";
  place.className = "flash told";
  place.setAttribute("role", "status");
  place.textContent = text;
  (one("#part-box") || one(".work")).prepend(place);
}

function listen() {
  const stream = new EventSource(`/desk/events?after=${page.dataset.after}`);
  let soon = 0;
  stream.addEventListener("ticket", (event) => {
    const told = JSON.parse(event.data);
    if (told.ticket === page.dataset.ticket && told.kind === "visitor_wrote") announce("A new message has arrived above.");
    clearTimeout(soon);
    soon = setTimeout(refresh, 250);
  });
  stream.addEventListener("ended", () => stream.close());
  setInterval(refresh, 60_000); // clocks run although nothing happens
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && again) refresh();
  });
  addEventListener("pagehide", () => stream.close());
}

// ── a ticket: suggestions, templates ──────────────────────────────────────────────────────────────

/** Write into the reply box, below what stands there. */
function insert(text) {
  const box = one("#reply");
  one("#tab-reply").checked = true;
  box.value = box.value.trim() ? `${box.value.trimEnd()}\n\n${text}` : text;
  box.focus();
  box.scrollTop = box.scrollHeight;
}

async function suggest(place) {
  try {
    const fresh = (await load(place.dataset.lazy)).getElementById("suggestions");
    place.replaceWith(document.adoptNode(fresh));
    for (const button of all("[data-insert]", fresh)) {
      button.hidden = false;
      button.addEventListener("click", () => insert(one(".text", button.closest(".suggestion")).textContent));
    }
  } catch {
    // the link to the suggestions stays
  }
}

/** Fill in a template without leaving the page, so that what is being written stays. */
async function pick(event) {
  event.preventDefault();
  const form = event.target;
  const query = new URLSearchParams(new FormData(form));
  const fresh = await load(`${form.getAttribute("action")}?${query}`);
  const [mine, box] = [one("#reply"), one("#reply", fresh)];
  one(".gaps", form)?.remove();
  const gaps = one(".gaps", fresh);
  if (gaps) form.append(document.adoptNode(gaps));
  const kept = form.dataset.filled;
  mine.value = mine.value.trim() && mine.value !== kept ? `${mine.value.replace(kept || "\0", "").trim()}\n\n${box.value}`.trim() : box.value;
  form.dataset.filled = box.value;
  (one(".gaps .wrong input", form) || mine).focus();
}

// ── keys ──────────────────────────────────────────────────────────────────────────────────────────

const rows = () => all("[data-row]");

function step(by) {
  const current = rows().findIndex((row) => row.classList.contains("here") || one("a[aria-current]", row));
  const next = rows()[Math.max(0, Math.min(rows().length - 1, current < 0 ? 0 : current + by))];
  if (!next) return;
  if (page.dataset.ticket) {
    if (!one("a[aria-current]", next)) one("a", next).click();
    return;
  }
  for (const row of rows()) row.classList.toggle("here", row === next);
  one("a", next).focus();
}

function write(name) {
  const tab = one(`#tab-${name}`);
  if (tab) tab.checked = true;
  one(`#${name}`)?.focus();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => one(".here a")?.click(),
  x: () => one(".here [name=ticket]")?.click(),
  r: () => write("reply"),
  n: () => write("note"),
  a: () => one('[data-key="a"]')?.click(),
  e: () => (one('[data-key="e"]') ? one('[data-key="e"]').click() : one('[data-key="E"]')?.focus()),
  "/": () => (one("[data-search]") ? one("[data-search]").focus() : location.assign("/desk#search")),
  "?": () => one("#keys").showModal(),
};

function press(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.preventDefault();
    one("[data-send]", event.target.form)?.click();
    return;
  }
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]");
  if (busy || page.dataset.keys !== "on" || typing(event.target) || event.target.isContentEditable) return;
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

// ── beginning ─────────────────────────────────────────────────────────────────────────────────────

/** What only makes sense with a script appears with it. */
/** Moments that matter to the minute stand in the agent's own zone, which is named; the server wrote them in the operator's. */
const moment = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function prepare(root) {
  for (const time of all("time[data-local]", root)) time.textContent = moment.format(new Date(time.dateTime));
  for (const hidden of all("[data-tick-all], [data-keys-sheet]", root)) hidden.hidden = false;
  showBulk();
}

function showBulk() {
  const bulk = one(".bulk");
  if (bulk) bulk.classList.toggle("idle", !one("[name=ticket]:checked"));
}

document.addEventListener("keydown", press);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-sheet]")) one("#keys").showModal();
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) for (const box of all("[name=ticket]")) box.checked = event.target.checked;
  showBulk();
});
prepare(document);
one("#pick")?.addEventListener("submit", pick);
for (const place of all("[data-lazy]")) suggest(place);
if (location.hash === "#search") one("[data-search]")?.focus();
one(".items [aria-current]")?.scrollIntoView({ block: "nearest" });
if (page.dataset.after) listen();
