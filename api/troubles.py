"""What an operator reads when Firstline cannot start or do what was asked."""

import httpx
from sqlalchemy.exc import ArgumentError, OperationalError

from api.bootstrap import IndexInUseError
from api.chat import ChatModelError
from api.database import UnknownSchemaError
from api.settings import SettingsError
from escalation.datafile import BadData
from escalation.sla import NoSuchProfile
from guardrails.support.entailment import UnusableModel
from knowledge.embedding import ModelFileError
from knowledge.publishing import Refused


def explained(error: Exception) -> str | None:  # noqa: PLR0911 - one kind of trouble a line
    """One sentence on what is wrong and how to mend it; None for an error that is ours."""
    if isinstance(error, SettingsError):
        return f"a setting cannot be used.\n{error}"
    if isinstance(error, UnknownSchemaError | ModelFileError | Refused | ChatModelError | UnusableModel | BadData | NoSuchProfile):
        return str(error)
    if isinstance(error, IndexInUseError):
        return f"{error}, which is not a server. Wait until it is done, or end it, and try again."
    if isinstance(error, OperationalError | ArgumentError):
        return f"the database cannot be used: {str(error).splitlines()[0]}"
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}: {error.response.text[:300]}"
    if isinstance(error, httpx.TransportError):
        return f"the server that owns the index does not answer ({error}). If it is gone, try again."
    return None
