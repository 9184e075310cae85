"""Where a person can be reached, as a link that may be clicked or as plain words."""

import re
from dataclasses import dataclass

EMAIL = re.compile(r"[^\s@<>\"'?&]+@[^\s@<>\"'?&]+\.[^\s@<>\"'?&]+")
PAGE = re.compile(r"https?://[^\s<>\"']+")
PHONE = re.compile(r"\+?[\d ()/-]{6,24}")


@dataclass(frozen=True)
class Contact:
    """What is shown, and where it leads (empty when it is only read)."""

    text: str
    href: str


def contact_of(setting: str) -> Contact | None:
    """The contact that the operator has set; None without one."""
    text = setting.strip()
    if not text:
        return None
    if EMAIL.fullmatch(text):
        return Contact(text, f"mailto:{text}")
    if PAGE.fullmatch(text):
        return Contact(text, text)
    if PHONE.fullmatch(text):
        return Contact(text, "tel:" + re.sub(r"[^\d+]", "", text))
    return Contact(text, "")
