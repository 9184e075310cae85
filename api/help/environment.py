"""What a browser says of itself, as the words an agent reads."""

from ua_parser import parse

LONGEST = 1000


def environment(user_agent: str) -> dict[str, str]:
    """Browser, operating system and device of a User-Agent header, as far as it is known; no more than it says."""
    found = parse(user_agent[:LONGEST])
    told: dict[str, str] = {}
    if found.user_agent:
        told["browser"] = " ".join(part for part in (found.user_agent.family, found.user_agent.major) if part)
    if found.os:
        told["os"] = " ".join(part for part in (found.os.family, found.os.major) if part)
    if found.device and found.device.family not in {"Other", "Spider"}:
        told["device"] = found.device.family
    return told
