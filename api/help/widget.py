"""What the chat widget is told: words, colours, contact and questions, as the operator has set them."""

from typing import Any

from pydantic import BaseModel

from api.bootstrap import Service
from api.help.contact import contact_of
from api.help.environment import environment
from api.help.popular import most_asked
from api.help.theme import theme_of
from assistant.wording import LANGUAGES, say, shipped, words

TOP_QUESTIONS = 5
LOADER_WORDS = ("launcher_open", "launcher_close", "panel_title", "loads_not", "help_centre", "unread")


class ContactOut(BaseModel):
    """Where a person can be reached; `href` is empty when it is only read."""

    text: str
    href: str


class QuestionOut(BaseModel):
    """A question that is often asked, by its article."""

    article_id: str
    title: str


class ConfigOut(BaseModel):
    """Everything the panel needs before anybody has written anything."""

    product: str
    language: str
    words: dict[str, str]
    notice: str
    contact: ContactOut | None
    privacy_url: str
    questions: list[QuestionOut]
    message_characters: int
    origins: list[str]
    theme: str
    assistant_on: bool
    environment: dict[str, str]


def config_of(service: Service, locale: str, user_agent: str = "") -> ConfigOut:
    """The panel's configuration in the language nearest to a locale; its browser in words, for the forms."""
    language, api, assistant = shipped(locale), service.settings.api, service.settings.assistant
    contact = contact_of(assistant.contact)
    with service.database.read() as session:
        questions = [QuestionOut(article_id=faq.id, title=faq.title) for faq in most_asked(session, TOP_QUESTIONS)]
    return ConfigOut(
        product=assistant.product,
        language=language,
        words={name: _named(text, assistant.product) for name, text in words("widget", language).items()},
        notice=say("ai_notice", language, product=assistant.product),
        contact=ContactOut(text=contact.text, href=contact.href) if contact else None,
        privacy_url=api.privacy_url,
        questions=questions,
        message_characters=api.message_characters,
        origins=list(api.origins),
        theme=api.widget_theme,
        assistant_on=api.assistant_on,
        environment=environment(user_agent),
    )


def later_words(service: Service, locale: str) -> dict[str, str]:
    """The words of what the panel loads only when it is needed."""
    return {name: _named(text, service.settings.assistant.product) for name, text in words("more", shipped(locale)).items()}


def loader_config(service: Service) -> dict[str, Any]:
    """What the loader needs to draw its button in any language, without another call."""
    api, product = service.settings.api, service.settings.assistant.product
    theme = theme_of(api.widget_color)
    return {
        "accent": theme.accent,
        "onAccent": theme.on_accent,
        "side": api.widget_side,
        "offset": api.widget_offset,
        "theme": api.widget_theme,
        "launcher": api.widget_launcher,
        "words": {language: _loader_words(language, product) for language in LANGUAGES},
    }


def _loader_words(language: str, product: str) -> dict[str, str]:
    of_widget = words("widget", language)
    return {name: _named(of_widget[name], product) for name in LOADER_WORDS}


def _named(text: str, product: str) -> str:
    return text.replace("{product}", product)
