// Calls to the server: JSON in and out, problems as exceptions, progress as server-sent events over fetch.

const SILENCE_MS = 45_000; // the server speaks at least every 15 seconds

/** An answer that is a problem. `status` 0 stands for a connection that failed. */
export class Problem extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {string} path
 * @param {{method?: string, body?: any, secret?: string, signal?: AbortSignal, accept?: string}} [how]
 */
export async function request(path, { method, body, secret, signal, accept } = {}) {
  const headers = { Accept: accept || "application/json" };
  if (secret) headers.Authorization = `Bearer ${secret}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init = { method: method || (body === undefined ? "GET" : "POST"), headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError" && signal?.reason === undefined) throw error;
    throw new Problem(0, String(error));
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Problem(response.status, told.detail || response.statusText, Number(response.headers.get("Retry-After")) || 0);
}

/** The JSON of an answer. */
export async function json(path, how) {
  const response = await request(path, how);
  try {
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    throw new Problem(0, String(error));
  }
}

/**
 * Send a message; every event of its progress goes to `onEvent`. Returns the last event's name.
 * @param {(name: string, data: any) => void} onEvent
 */
export async function post(path, body, secret, onEvent) {
  const cut = new AbortController();
  let timer = setTimeout(() => cut.abort("silent"), SILENCE_MS);
  try {
    const response = await request(path, { body, secret, signal: cut.signal, accept: "text/event-stream" });
    if (!response.body || !(response.headers.get("Content-Type") || "").startsWith("text/event-stream")) return response.status === 202 ? "running" : "reply";
    let last = "";
    for await (const [name, data] of events(response.body, () => {
      clearTimeout(timer);
      timer = setTimeout(() => cut.abort("silent"), SILENCE_MS);
    })) {
      if (name === "problem") throw new Problem(data.status, data.detail, 2);
      onEvent((last = name), data);
    }
    return last;
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** Name and data of each event in a stream of them. */
export async function* events(body, onChunk = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onChunk();
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop() || "";
    for (const block of blocks) {
      const name = /^event: (\w+)$/m.exec(block);
      const data = /^data: (.*)$/m.exec(block);
      if (name && data) yield [name[1], JSON.parse(data[1])];
    }
  }
}

/** The browser's IANA time zone, in which expected times are told. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "";
