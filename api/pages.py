"""The Jinja environment of every page: what stands in a value is text, never HTML."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

PAGES = Environment(
    loader=PackageLoader("api", "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
