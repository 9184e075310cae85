"""What is said when a policy speaks: one kind sentence, where it is written officially, and whom to call in danger."""

from assistant.wording import say
from guardrails.findings import Action, Verdict
from guardrails.policies import CrisisLine, Policy, crisis_lines

CRISIS = "crisis"
COUNTRIES = {"en": "US", "de": "DE", "fr": "FR", "es": "ES", "pt": "PT"}  # where a locale names no country


def refusal(verdict: Verdict, policies: dict[str, Policy], *, language: str, locale: str) -> str:
    """The sentences for a verdict that refuses, hands over or routes; empty when no policy speaks to the visitor."""
    if verdict.action is None or verdict.policy is None or verdict.action in {Action.FLAG, Action.REDACT}:
        return ""
    policy = policies.get(verdict.policy)
    said = policy.say(language) if policy else say("unknown_language", language)
    parts = [said]
    if policy and policy.official_page:
        parts.append(say("official_page", language, page=policy.official_page))
    if verdict.policy == CRISIS:
        parts.append(_crisis(language, locale))
    return "\n\n".join(parts)


def _crisis(language: str, locale: str) -> str:
    line = _line(language, locale)
    return say("crisis_lines", language, lines=", ".join(line.lines), emergency=line.emergency)


def _line(language: str, locale: str) -> CrisisLine:
    """The lines of the visitor's country where the locale names one, else the first country of the language."""
    known = crisis_lines()
    country = locale.replace("_", "-").rpartition("-")[2].upper() if "-" in locale.replace("_", "-") else ""
    return known.get(country) or (known["default"] if country else known[COUNTRIES.get(language, "default")])
