"""OpenTelemetry's names for calls of a chat model, in one place; without OpenTelemetry, or without its SDK, nothing happens.

Names follow the semantic conventions for generative AI (status: development). No text of a message or a
prompt is ever put into a span, whatever OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

SCOPE = "firstline"
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CONVERSATION = "gen_ai.conversation.id"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - a name, no secret
ERROR = "error.type"
PROMPT_NAME = "firstline.prompt.name"
PROMPT_FINGERPRINT = "firstline.prompt.fingerprint"
CHAT = "chat"
DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
DURATION_BUCKETS = tuple(0.01 * 2**n for n in range(14))  # seconds, as the conventions advise
TOKEN_BUCKETS = tuple(4**n for n in range(14))
PROVIDERS = {"mistralai": "mistral_ai", "google_genai": "gcp.gemini"}  # where the conventions name a provider otherwise


class Span:
    """One call: what becomes known of it is added before it ends."""

    def __init__(self, span: Any, attributes: dict[str, Any]) -> None:
        """`span` is OpenTelemetry's, or None."""
        self._span, self.attributes = span, attributes

    def add(self, **named: Any) -> None:
        """Attributes by the names of this module, such as OUTPUT_TOKENS=12."""
        for name, value in named.items():
            key: str = globals()[name]
            self.attributes[key] = value
            if self._span is not None:
                self._span.set_attribute(key, value)

    def went_wrong(self, kind: str) -> None:
        """The call gave nothing; `kind` is a short name, never a text."""
        self.add(ERROR=kind)
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

            self._span.set_status(Status(StatusCode.ERROR, kind))


@contextmanager
def chat(provider: str, model: str, conversation_id: str | None, *, prompt: str, fingerprint: str, max_tokens: int) -> Iterator[Span]:
    """A client span called `chat MODEL` around one call."""
    attributes: dict[str, Any] = {
        OPERATION: CHAT,
        PROVIDER: PROVIDERS.get(provider, provider),
        REQUEST_MODEL: model,
        REQUEST_MAX_TOKENS: max_tokens,
        PROMPT_NAME: prompt,
        PROMPT_FINGERPRINT: fingerprint,
    }
    if conversation_id:
        attributes[CONVERSATION] = conversation_id
    api = _api()
    if api is None:
        yield Span(None, attributes)
        return
    tracer = api.trace.get_tracer(SCOPE)
    silent = {"record_exception": False, "set_status_on_exception": False}  # an error's text may be anything
    with tracer.start_as_current_span(f"{CHAT} {model}", kind=api.trace.SpanKind.CLIENT, attributes=dict(attributes), **silent) as span:
        yield Span(span, attributes)


def measured(span: Span, seconds: float) -> None:
    """The call's duration and tokens as metrics."""
    api = _api()
    if api is None:
        return
    shared = {key: span.attributes[key] for key in (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL) if key in span.attributes}
    failed = {ERROR: span.attributes[ERROR]} if ERROR in span.attributes else {}
    duration, tokens = _instruments(api)
    duration.record(seconds, {**shared, **failed})
    for kind, key in (("input", INPUT_TOKENS), ("output", OUTPUT_TOKENS)):
        if count := span.attributes.get(key):
            tokens.record(count, {**shared, TOKEN_TYPE: kind})


@cache
def _api() -> SimpleNamespace | None:
    """OpenTelemetry's interface where it is installed."""
    try:
        from opentelemetry import metrics, trace  # noqa: PLC0415
    except ImportError:
        return None
    return SimpleNamespace(metrics=metrics, trace=trace)


@cache
def _made(meter: Any) -> tuple[Any, Any]:
    duration = meter.create_histogram(DURATION, unit="s", explicit_bucket_boundaries_advisory=DURATION_BUCKETS)
    tokens = meter.create_histogram(TOKENS, unit="{token}", explicit_bucket_boundaries_advisory=TOKEN_BUCKETS)
    return duration, tokens


def _instruments(api: SimpleNamespace) -> tuple[Any, Any]:
    return _made(api.metrics.get_meter(SCOPE))
