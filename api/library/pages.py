"""What the library's pages have in common: their words, and how a mistake is told on a page."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api import errors
from api.desk import words as desk_words
from api.desk.pages import KEYS_COOKIE, OFF
from api.library.errors import StaleArticle
from api.staff import door as staff
from api.staff.sessions import Signed
from knowledge.lift_tables import GoldenAct
from knowledge.loop_tables import GroupState, RejectReason, SuggestionKind, SuggestionState
from knowledge.suggestions import AlreadyDecided, StaleSuggestion
from knowledge.tables import ArticleState

STATES: Mapping[str, str] = {ArticleState.IN_REVIEW: "In review", ArticleState.PUBLISHED: "Published", ArticleState.RETIRED: "Retired"}
STATE_BADGES: Mapping[str, str] = {ArticleState.IN_REVIEW: "review", ArticleState.PUBLISHED: "published", ArticleState.RETIRED: "plain"}
FRESH: Mapping[str, str] = {"ok": "Up to date", "due": "Review due", "old": "Long unchanged"}
SORTS: Mapping[str, str] = {
    "updated": "Last changed",
    "title": "Title",
    "views": "Most viewed",
    "answers": "Answers most",
    "helpful": "Least helpful",
    "review": "Next review",
}
KINDS: Mapping[str, str] = {
    SuggestionKind.NEW: "New FAQ",
    SuggestionKind.EDIT: "Edit",
    SuggestionKind.MERGE: "Merge",
    SuggestionKind.REFRESH: "Refresh",
    SuggestionKind.RETIRE: "Retire",
}
SUGGESTION_STATES: Mapping[str, str] = {
    SuggestionState.PENDING: "Waiting",
    SuggestionState.SNOOZED: "Snoozed",
    SuggestionState.ACCEPTED: "Accepted",
    SuggestionState.REJECTED: "Rejected",
    SuggestionState.MERGED: "Merged",
    SuggestionState.EXPIRED: "Expired",
}
GROUP_STATES: Mapping[str, str] = {
    GroupState.OPEN: "Open",
    GroupState.SUGGESTED: "Suggested",
    GroupState.ANSWERED: "Answered",
    GroupState.REJECTED: "Rejected",
    GroupState.ADVICE: "Advice",
}
REASONS: Mapping[str, str] = {
    RejectReason.ALREADY_ANSWERED: "Already answered",
    RejectReason.NOT_FOR_THE_HELP_CENTRE: "Not for the help centre",
    RejectReason.SINGLE_CASE: "A single case",
    RejectReason.WRONG_OR_OUTDATED: "Wrong or outdated",
    RejectReason.PRIVATE_OR_SENSITIVE: "Private or sensitive",
    RejectReason.MIXED_QUESTIONS: "Different questions mixed",
}
SAID: Mapping[str, str] = {
    "published": "Published. The next answer can use it.",
    "unchanged": "Nothing was changed.",
    "kept": "Kept in review. No answer uses it.",
    "in_review": "Back in review. No answer uses it any more.",
    "retired": "Retired. No answer uses it any more; text and history stay.",
    "restored": "Restored and published as a new revision.",
    "reviewed": "Noted that you have read it through.",
    "accepted": "Accepted: the next answer can use it.",
    "rejected": "Rejected. It comes back only if many more people ask.",
    "snoozed": "Snoozed. It comes back by itself.",
    "merged": "Merged: what people asked now finds the other one.",
    "edited": "Your text is kept.",
    "golden-kept": "Kept: every edit is tried on this question from now on.",
    "golden-protected": "Protected: an edit that would break it is refused.",
    "golden-lifted": "The protection is lifted, under your name.",
    "golden-gone": "Taken away. The list below says who did it.",
    "keys-on": "Keyboard shortcuts are on.",
    "keys-off": "Keyboard shortcuts are off.",
}
GOLDEN_ACTS: Mapping[str, str] = {
    GoldenAct.ADDED: "added",
    GoldenAct.MOVED: "moved here",
    GoldenAct.PROTECTED: "protected",
    GoldenAct.LIFTED: "lifted the protection of",
    GoldenAct.REMOVED: "took away",
}
MISTAKES = tuple(errors.STATUS)


class Words:
    """The words above, for templates."""

    states, badges, fresh, sorts, kinds, reasons = STATES, STATE_BADGES, FRESH, SORTS, KINDS, REASONS
    suggestion_states, group_states, golden_acts = SUGGESTION_STATES, GROUP_STATES, GOLDEN_ACTS

    language = staticmethod(desk_words.language)

    @staticmethod
    def source(name: str) -> str:
        """Where an article comes from."""
        return {"library": "Written here", "suggestions": "Suggested"}.get(name, name)


def page(request: Request, name: str, me: Signed, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """A page of the library; what `said` in the address names is told above it."""
    shown: dict[str, Any] = {
        "w": Words,
        "here": "/library",
        "keys": request.cookies.get(KEYS_COOKIE) != OFF,
        "flash": SAID.get(request.query_params.get("said", ""), ""),
        "part": "articles",
        **values,
    }
    return staff.page(request, name, me, status, **shown)


def go(path: str, **more: str) -> RedirectResponse:
    """To another page of the library."""
    query = urlencode({name: value for name, value in more.items() if value})
    return staff.go(path + (f"?{query}" if query else ""))


def missing(request: Request, me: Signed, why: str) -> HTMLResponse:
    """That something is not there."""
    return page(request, "library/missing.html", me, HTTPStatus.NOT_FOUND, why=why)


def told(error: Exception, names: Mapping[str, str]) -> tuple[int, str]:
    """Status and sentence of a mistake on a page; `names` are those of accounts."""
    if isinstance(error, StaleArticle):
        return (
            HTTPStatus.CONFLICT,
            "Not saved: somebody changed this article since you opened it. Your text is kept; what differs is below.",
        )
    if isinstance(error, StaleSuggestion | AlreadyDecided) and error.decided_by:
        who = names.get(error.decided_by, error.decided_by)
        return HTTPStatus.CONFLICT, f"{who} has already decided this one: {SUGGESTION_STATES[error.state].lower()}. Nothing else happened."
    if isinstance(error, StaleSuggestion):
        return (
            HTTPStatus.CONFLICT,
            "Somebody changed this suggestion since you opened it. This is how it stands now; please look and repeat.",
        )
    sentence = str(error)
    return errors.STATUS[type(error)], sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith(".") else ".")
