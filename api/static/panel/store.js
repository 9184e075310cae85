// What outlives a reload, in the storage of this frame's origin; in memory where the browser forbids storing.
// The secret of the conversation lies here and in request headers, never in an address.

const KEY = "firstline";
const DAYS = 30;

/**
 * @typedef {{id: string, secret: string}} Conversation
 * @typedef {{id: string, text: string, choice: string | null, doing?: string, body?: any}} Unsent
 * @typedef {{conversation: Conversation | null, others: (Conversation & {number: number})[], draft: string, forms: Record<string, any>, unsent: Unsent[], at: number}} Kept
 */

/** @returns {Kept} */
const nothing = () => ({ conversation: null, others: [], draft: "", forms: {}, unsent: [], at: 0 });

let memory = nothing();

/** @returns {Kept} */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || "null");
    if (found && Date.now() - found.at < DAYS * 864e5) memory = { ...nothing(), ...found };
    else if (found) localStorage.removeItem(KEY);
  } catch {
    // storage is forbidden here, or holds something that is not ours
  }
  return memory;
}

/** @param {Partial<Kept>} change */
export function keep(change) {
  memory = { ...kept(), ...change, at: Date.now() };
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // forbidden or full: it stays in memory
  }
}

/** Leave nothing behind. */
export function forget() {
  memory = nothing();
  try {
    localStorage.removeItem(KEY);
  } catch {
    // nothing was stored then
  }
}

/** Call when another tab changed what is kept. */
export function watch(onChange) {
  addEventListener("storage", (event) => event.key === KEY && onChange());
}
