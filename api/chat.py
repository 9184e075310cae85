"""Settings → the chat model: the only place that knows providers. Keys come from each provider's usual environment variable."""

import importlib.util
import warnings
from typing import Any

from api.settings import environment_has
from assistant.chat_model import ChatModel, LangChainModel
from assistant.settings import AssistantSettings

PACKAGES = {  # provider → package and extra; others that init_chat_model knows work when their package is installed
    "openai": ("langchain_openai", "openai"),
    "anthropic": ("langchain_anthropic", "anthropic"),
    "mistralai": ("langchain_mistralai", "mistralai"),
    "google_genai": ("langchain_google_genai", "google-genai"),
    "ollama": ("langchain_ollama", "ollama"),
}
KEYS = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
}
NO_KEY = "none"  # what a server of one's own is told where it asks for no key


class ChatModelError(Exception):
    """The chat model that the settings name cannot be used; the sentence says what to do."""


def chat_model(settings: AssistantSettings) -> ChatModel:
    """The model behind FIRSTLINE_CHAT_MODEL; its provider's package is imported only now. Raise ChatModelError."""
    return _model(settings, "FIRSTLINE_CHAT_MODEL")


def judge_model(settings: AssistantSettings) -> ChatModel:
    """The model behind FIRSTLINE_CHAT_JUDGE. Raise ChatModelError."""
    return _model(as_judge(settings), "FIRSTLINE_CHAT_JUDGE")


def as_judge(settings: AssistantSettings) -> AssistantSettings:
    """The settings of a service in which the judge would be the chat model."""
    same = settings.chat_judge.partition(":")[0] == settings.chat_model.partition(":")[0]
    address = settings.chat_judge_base_url or (settings.chat_base_url if same else "")
    return settings.model_copy(update={"chat_model": settings.chat_judge, "chat_base_url": address})


def _model(settings: AssistantSettings, setting: str) -> ChatModel:
    provider, _, name = settings.chat_model.partition(":")
    package, extra = PACKAGES.get(provider, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        raise ChatModelError(f"{setting}={settings.chat_model} needs a package: pip install 'firstline[{extra}]'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # providers' packages warn of what only their authors can mend
            from langchain.chat_models import init_chat_model  # noqa: PLC0415

            model: Any = init_chat_model(name, model_provider=provider, **_arguments(provider, settings))
    except ImportError as error:
        raise ChatModelError(f"{setting}={settings.chat_model} needs the package {error.name or provider}: install it") from None
    except Exception as error:  # noqa: BLE001 - every provider has errors of its own
        raise ChatModelError(_reason(provider, f"{setting}={settings.chat_model}", error)) from None  # the error itself may repeat a key
    by_schema, own = settings.chat_format == "schema", provider == "ollama" or bool(settings.chat_base_url)
    return LangChainModel(model, provider, name, by_schema=by_schema, bounded=own, at_once=settings.chat_at_once)


def _arguments(provider: str, settings: AssistantSettings) -> dict[str, Any]:
    """What a provider's class is made with: no retries of its own, for ours know how much time is left."""
    arguments: dict[str, Any] = {"temperature": float(settings.chat_temperature)} if settings.chat_temperature else {}
    if provider == "ollama":
        arguments |= {"num_predict": settings.chat_answer_tokens, "client_kwargs": {"timeout": settings.chat_seconds}}
    else:
        arguments |= {"max_tokens": settings.chat_answer_tokens, "timeout": settings.chat_seconds, "max_retries": 0}
    if settings.chat_base_url:
        arguments["base_url"] = settings.chat_base_url
        if provider == "openai" and not environment_has(KEYS[provider]):
            arguments["api_key"] = NO_KEY
    return arguments


def _reason(provider: str, setting: str, error: Exception) -> str:
    key = KEYS.get(provider)
    if key and not environment_has(key):
        return f"{setting} needs the key of its provider in {key}"
    return f"{setting} cannot be used ({type(error).__name__}); check provider, name and address"
