"""The operator's colour as colours that can be read: typed tokens only, never free CSS (S-37)."""

from dataclasses import dataclass

READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text
STEPS = 100
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#1b2027"
INK, WHITE = "#10151c", "#ffffff"


@dataclass(frozen=True)
class Theme:
    """What stands on what: `accent` with `on_accent` upon it; `link` upon light and `link_dark` upon dark paper."""

    accent: str
    on_accent: str
    link: str
    link_dark: str

    @property
    def css(self) -> str:
        """The tokens as a style sheet."""
        tokens = f"--accent: {self.accent}; --on-accent: {self.on_accent}; --link: light-dark({self.link}, {self.link_dark});"
        return f":root {{ {tokens} }}\n"


def theme_of(color: str) -> Theme:
    """The theme of a colour such as #1f5fbf: what would be hard to read is darkened or lightened until it is not."""
    accent = color.lower()
    on_accent = WHITE if contrast(accent, WHITE) >= READABLE else INK
    if contrast(accent, on_accent) < READABLE:
        accent = _towards(accent, WHITE, on_accent)
    return Theme(accent, on_accent, _towards(color, INK, LIGHT_PAPER), _towards(color, WHITE, DARK_PAPER))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours from 1 to 21, as WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _towards(color: str, goal: str, paper: str) -> str:
    """The first colour on the way from `color` to `goal` that can be read on the paper, with a little to spare for tinted paper."""
    for step in range(STEPS):
        mixed = _mix(color, goal, step / STEPS)
        if contrast(mixed, paper) >= READABLE * 1.15:
            return mixed
    return goal


def _mix(one: str, other: str, share: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_channels(one), _channels(other), strict=True))


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in _channels(color))  # noqa: PLR2004 - sRGB
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
