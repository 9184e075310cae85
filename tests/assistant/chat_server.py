"""A server on loopback that speaks as the documented interfaces of OpenAI, Anthropic and Ollama do, and misbehaves when told to."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = bytes | dict[str, Any]


@dataclass
class Stub:
    """What it answers next; `requests` are the bodies that came, `headers` theirs."""

    url: str = ""
    text: str = "{}"
    status: int = 200
    manner: str = "well"
    """well, refuses, filtered, cut, tools, empty, html, drips, hangs, drops, half, flaps"""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


def openai(stub: Stub) -> Body:
    """A chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": stub.text, "refusal": None}
    finish = {"cut": "length", "filtered": "content_filter", "tools": "tool_calls"}.get(stub.manner, "stop")
    if stub.manner == "refuses":
        message |= {"content": None, "refusal": "I cannot help with that."}
    if stub.manner == "tools":
        call = {"id": "call_1", "type": "function", "function": {"name": "refund", "arguments": '{"amount": 1000}'}}
        message |= {"content": None, "tool_calls": [call]}
    if stub.manner == "empty":
        message |= {"content": ""}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366},
    }


def anthropic(stub: Stub) -> Body:
    """A message."""
    finish = {"cut": "max_tokens", "refuses": "refusal"}.get(stub.manner, "end_turn")
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "stub-1",
        "content": [{"type": "text", "text": stub.text}],
        "stop_reason": finish,
        "stop_sequence": None,
        "usage": {"input_tokens": 321, "output_tokens": 45},
    }


def ollama(stub: Stub) -> Body:
    """Two lines of a stream."""
    lines = [
        {"model": "stub-1", "created_at": "2026-03-29T00:00:00Z", "message": {"role": "assistant", "content": stub.text}, "done": False},
        {
            "model": "stub-1",
            "created_at": "2026-03-29T00:00:01Z",
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "length" if stub.manner == "cut" else "stop",
            "prompt_eval_count": 321,
            "eval_count": 45,
        },
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


PATHS: dict[str, Callable[[Stub], Body]] = {"/v1/chat/completions": openai, "/v1/messages": anthropic, "/api/chat": ollama}


@contextmanager
def serving() -> Iterator[Stub]:  # noqa: C901 - one handler with all its moods
    """The server, until the block ends."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            stub.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            stub.headers.append(dict(self.headers))
            self.close_connection = True
            body = PATHS[self.path](stub)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            if stub.manner == "hangs":
                stub.released.wait(30)
                return
            if stub.manner == "drops" or (stub.manner == "flaps" and len(stub.requests) % 2):
                return
            if stub.manner == "html":
                data = b"<html><body>502 Bad Gateway</body></html>"
            self.send_response(stub.status)
            self.send_header("Content-Type", "text/html" if stub.manner == "html" else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")  # so that no client keeps a socket longer than its test
            self.end_headers()
            try:
                self._send(data)
            except OSError:
                return

        def _send(self, data: bytes) -> None:
            if stub.manner == "drips":
                for n in range(len(data)):
                    if stub.released.wait(0.05):
                        return
                    self.wfile.write(data[n : n + 1])
                    self.wfile.flush()
                return
            self.wfile.write(data[: len(data) // 2] if stub.manner == "half" else data)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that has gone is no error."""

    server: socketserver.BaseServer = Server(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        time.sleep(0)
