"""The report as one HTML file: its template, and the risk–coverage curves drawn as SVG."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment, StrictUndefined

from evals.gate import Threshold
from evals.results import Report

WIDTH, HEIGHT, MARGIN = 440, 260, 40  # pixels of a curve's picture, axis labels inside the margin
HIGHEST_RISK = 0.5  # the share of wrong answers at the top of the picture; more is not worth reading
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Firstline exam</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;margin:.5rem 0 1rem}th,td{padding:.2rem .7rem;border-bottom:1px solid #d8dee4;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.short td{color:#a40e26;font-weight:600}
.note{color:#57606a}.broken{color:#a40e26}svg text{font:11px system-ui,sans-serif;fill:#57606a}
svg .axis{stroke:#8c959f;fill:none}svg .curve{stroke:#0550ae;stroke-width:2;fill:none}svg .target{stroke:#a40e26;stroke-dasharray:4 3}
</style></head><body>
<h1>Firstline exam</h1>
{% if about %}<table>
{% for name, value in about.items() %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>{% endif %}
{% if broken %}<h2 class="broken">Broken sets</h2><ul class="broken">
{% for trouble in broken %}<li>{{ trouble.name }}: {{ trouble.reason }}</li>{% endfor %}</ul>{% endif %}
{% if ungraded %}<h2>Not graded</h2><ul>
{% for trouble in ungraded %}<li>{{ trouble.name }}: {{ trouble.reason }}</li>{% endfor %}</ul>{% endif %}
{% for set in sets %}<section><h2>{{ set.name }}</h2>
{% for note in set.notes %}<p class="note">{{ note }}</p>{% endfor %}
{% if set.curve %}<figure>{{ curve(set.curve) }}<figcaption class="note">Share of questions answered (across) against share of wrong
answers among them (up); dashed: the target of 5 %.</figcaption></figure>{% endif %}
<table><tr><th>metric</th><th class="n">value</th><th class="n">95 % interval</th><th class="n">n</th>
<th class="n">wanted</th><th>because</th></tr>
{% for name, m in set.metrics.items() %}{% set t = wanted.get((set.name, name)) %}
<tr{% if t and not t.holds(m.value) %} class="short"{% endif %}><td>{{ name }}</td><td class="n">{{ "%.4f"|format(m.value) }}</td>
<td class="n">{{ "%.4f"|format(m.low) }} – {{ "%.4f"|format(m.high) }}</td><td class="n">{{ m.n }}</td>
<td class="n">{% if t %}{{ t.wanted }}{% endif %}</td><td>{% if t %}{{ t.reason }}{% endif %}</td></tr>
{% endfor %}</table>
{% if set.misses %}<details><summary>{{ set.misses|length }} that went wrong</summary>
<ul>{% for miss in set.misses %}<li>{{ miss }}</li>{% endfor %}</ul></details>{% endif %}
</section>{% endfor %}</body></html>
"""

CURVE = """<svg viewBox="0 0 {{ width }} {{ height }}" width="{{ width }}" height="{{ height }}" role="img" aria-label="risk and coverage">
<path class="axis" d="M{{ x(0) }} {{ y(highest) }}V{{ y(0) }}H{{ x(1) }}"/>
{% for tick in ticks %}<text x="{{ x(tick) }}" y="{{ y(0) + 16 }}" text-anchor="middle">{{ tick }}</text>
<text x="{{ x(0) - 6 }}" y="{{ y(tick * highest) + 4 }}" text-anchor="end">{{ "%.2f"|format(tick * highest) }}</text>{% endfor %}
<line class="target" x1="{{ x(0) }}" x2="{{ x(1) }}" y1="{{ y(0.05) }}" y2="{{ y(0.05) }}"/>
<polyline class="curve" points="{% for c, r in points %}{{ x(c) }},{{ y(r) }} {% endfor %}"/></svg>"""


def render(report: Report, wanted: Sequence[Threshold]) -> str:
    """The whole page. Every text is escaped: set names and questions come from other people's files."""
    environment = _environment()
    page = environment.from_string(TEMPLATE)
    by_name: Mapping[tuple[str, str], Threshold] = {(t.set, t.metric): t for t in wanted}
    return page.render(
        sets=report.sets, broken=report.broken, ungraded=report.ungraded, about=report.about, wanted=by_name, curve=_drawn(environment)
    )


def _drawn(environment: Environment) -> object:
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    template = environment.from_string(CURVE)

    def draw(points: Sequence[tuple[float, float]]) -> Markup:
        picture = template.render(width=WIDTH, height=HEIGHT, x=_x, y=_y, highest=HIGHEST_RISK, ticks=TICKS, points=points)
        return Markup(picture)  # noqa: S704 - numbers only

    return draw


def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _x(coverage: float) -> float:
    return round(MARGIN + coverage * (WIDTH - 2 * MARGIN), 1)


def _y(risk: float) -> float:
    return round(HEIGHT - MARGIN - min(risk, HIGHEST_RISK) / HIGHEST_RISK * (HEIGHT - 2 * MARGIN), 1)
