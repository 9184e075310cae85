"""Passwords of staff: which are taken, and how they are kept (argon2, at most two at a time: one costs 64 MiB)."""

import threading
from functools import cache

from pwdlib import PasswordHash

SHORTEST, LONGEST = 12, 200
FEWEST_CHARACTERS = 5  # different ones: aaaaaaaaaaaa and 121212121212 are guessed first
AT_ONCE = threading.BoundedSemaphore(2)
# of the lists of most used passwords, those that are long enough, without digits and signs around them
COMMON = frozenset(
    "password passwordpassword qwertyuiop qwertyuiopas qwertyuiopasdf qwertyuiopasdfghjkl asdfghjkl asdfghjklqwe zxcvbnm"
    " qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb qweasdzxc qqww1122 letmein letmeinletmein letmeinplease welcome welcomewelcome"
    " welcometofirstline adminadmin adminadminadmin administrator iloveyou iloveyouiloveyou iloveyouforever changeme changemeplease"
    " changemechangeme trustnoone abcdefghijkl abcdefghijklm abcdefghijklmnop football footballfootball superman supersecret"
    " supersecretpassword secretpassword mypassword mypasswordis thisismypassword thisisapassword newpassword temporarypassword"
    " defaultpassword firstline firstlinefirstline firstlinesupport support supportsupport customersupport helpdesk helpdeskhelpdesk"
    " correcthorsebatterystaple princess princessprincess sunshine sunshinesunshine monkeymonkey dragondragon masterpassword"
    " computercomputer whateverwhatever unbelievable jordanjordan michaelmichael chocolatechocolate basketball babygirlbabygirl".split()
)
RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertzuiopasdfghjklyxcvbnm")


class WeakPassword(ValueError):
    """The password is too short, too long or easy to guess; says which."""


def check(password: str, *about: str) -> None:
    """Refuse what is guessed first. `about` is what everybody knows of its owner: address and name. Raise WeakPassword."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"The password may have at most {LONGEST} characters.")
    folded = password.casefold()
    letters = "".join(c for c in folded if c.isalpha())
    if len(set(folded)) < FEWEST_CHARACTERS or {folded, letters, folded.replace("0", "o")} & COMMON or _runs(folded):
        raise WeakPassword("This password is one of the first that are guessed. Three or four random words make a good one.")
    if _joined(folded) in _known(about):
        raise WeakPassword("The password is your name or your e-mail address; please choose another.")


def hashed(password: str) -> str:
    """What is stored of a password."""
    with AT_ONCE:
        return _hasher().hash(password)


def verify(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash where the stored one is out of date.

    `stored` is None when there is no such account: that takes as long, and is never right.
    """
    with AT_ONCE:
        right, fresh = _hasher().verify_and_update(password[:LONGEST], stored or _nobody())
    return (right, fresh) if stored else (False, None)


def _runs(folded: str) -> bool:
    return any(folded in run for run in RUNS)


def _joined(text: str) -> str:
    return "".join(text.casefold().split())


def _known(about: tuple[str, ...]) -> set[str]:
    """Names and addresses, alone, doubled, and one after the other."""
    whole = [_joined(text) for text in about if text]
    parts = [*whole, *(text.partition("@")[0] for text in whole if "@" in text)]
    return {*parts, *(one + other for one in parts for other in parts)}


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
