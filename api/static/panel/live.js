// A person's replies as they come, while a person has the conversation: a stream that says when to read.
//
// What is shown is still read as "messages after the last one I have", so a stream that breaks loses and doubles nothing.
// One tab holds the stream and tells the others. When it cannot be held, each attempt reads the messages by itself.

import { Problem, events, request } from "./server.js";
import { kept } from "./store.js";

const SILENCE_MS = 25_000; // the server speaks at least every five seconds
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const LOCK = "firstline-live";

let running = "";
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(LOCK) : null;

/** @param {import("./chat.js").Chat} chat */
export async function follow(chat) {
  const id = kept().conversation?.id;
  if (!id || running === id) return;
  running = id;
  if (tabs) tabs.onmessage = () => chat.held && chat.sync();
  const wanted = () => chat.held && kept().conversation?.id === id;
  const listen = () => listening(chat, wanted);
  await (navigator.locks ? navigator.locks.request(`${LOCK} ${id}`, listen) : listen());
  if (running === id) running = "";
}

async function listening(chat, wanted) {
  let pause = FIRST_PAUSE_MS;
  while (wanted()) {
    let least = 0;
    try {
      await hear(chat, wanted, () => (pause = FIRST_PAUSE_MS));
    } catch (error) {
      if (error instanceof Problem) least = 1000 * error.retryAfter;
    }
    if (!wanted()) return;
    await waited(Math.max(least, pause * (0.75 + Math.random() / 2)));
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    await chat.sync();
  }
}

/** Listen until the stream ends, falls silent, or nobody wants it any more. */
async function hear(chat, wanted, onLife) {
  const { id, secret } = kept().conversation;
  const after = chat.messages.at(-1)?.id ?? 0;
  const cut = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    if (wanted()) timer = setTimeout(() => cut.abort("silent"), SILENCE_MS);
    else cut.abort("over");
  };
  alive();
  try {
    const response = await request(`/api/conversations/${id}/events?after=${after}`, { secret, signal: cut.signal, accept: "text/event-stream" });
    onLife();
    for await (const [name, message] of events(response.body, alive)) {
      if (name === "ended") return;
      if (message.id > (chat.messages.at(-1)?.id ?? 0)) await chat.sync();
      tabs?.postMessage(message.id);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A pause that ends early when the network comes back. */
function waited(ms) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    addEventListener("online", () => (clearTimeout(timer), done(null)), { once: true });
  });
}
