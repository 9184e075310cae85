"""Working time: in every zone, over every jump of the clock, with several intervals a day, holidays, and calendars never open."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from escalation.calendars import DAY, DAYS, Calendar, load, moment_of, zone_of
from escalation.datafile import BadData

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")
ZONES = sorted(available_timezones())
HOUR = timedelta(hours=1)
NONE = timedelta()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def calendar(zone: str = "UTC", hours: str = "09:00-17:00", days: str = "monday-sunday", **more: object) -> Calendar:
    found = load.__wrapped__  # no cache: every test writes its own file
    return found(
        written(f"c:\n  title: test\n  zone: {zone}\n  hours:\n    {days}: {hours}\n" + "".join(f"  {k}: {v}\n" for k, v in more.items()))
    )["c"]


_files: list[Path] = []


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    _files[:] = [tmp_path]


def written(text: str) -> Path:
    file = _files[0] / "calendars.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@st.composite
def weeks(draw: Callable[..., object]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Weeks with up to three intervals a day, empty days and full ones among them."""
    days = []
    for _ in DAYS:
        cuts = sorted(draw(st.sets(st.sampled_from([0, 1, 90, 120, 150, 180, 540, 720, 780, 1020, 1380, 1439, DAY]), max_size=6)))  # type: ignore[call-overload]
        days.append(tuple(zip(cuts[::2], cuts[1::2], strict=False)))
    return tuple(days)


MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
LENGTHS = st.timedeltas(timedelta(), timedelta(hours=60))
CALENDARS = st.builds(
    Calendar,
    st.just("c"),
    st.just("test"),
    st.sampled_from(ZONES).map(ZoneInfo),
    weeks(),
    country=st.sampled_from(["", "", "DE", "US", "GB", "JP", "SE"]),
    closed_yearly=st.sampled_from([frozenset(), frozenset({(2, 29)}), frozenset({(12, 31), (1, 1)})]),
)
JUMPS = [  # zone and a moment just before its clock jumps
    ("Europe/Berlin", "2026-03-28T22:10:00+00:00"),
    ("Europe/Berlin", "2026-10-24T21:10:00+00:00"),
    ("America/Sao_Paulo", "2018-11-03T20:00:00+00:00"),
    ("Asia/Beirut", "2026-03-28T12:00:00+00:00"),
    ("Australia/Lord_Howe", "2026-10-03T10:00:00+00:00"),
    ("Pacific/Apia", "2011-12-29T20:00:00+00:00"),
    ("Africa/Casablanca", "2026-02-14T20:00:00+00:00"),
    ("America/St_Johns", "2009-11-01T00:00:00+00:00"),
    ("Antarctica/Troll", "2026-03-28T20:00:00+00:00"),
]


def holds_for(calendar: Calendar, start: datetime, length: timedelta, more: timedelta) -> None:
    """What R-11 asks of every calendar."""
    due = calendar.add(start, length)
    if due is None:
        assert not any(calendar.weekly) or calendar.add(start, timedelta(minutes=1)) is None
        return
    assert due.tzinfo is UTC
    assert due >= start
    assert calendar.between(start, due) == length
    if calendar.add(start, timedelta(minutes=1)) is None:
        return  # never open: only no time at all has an end
    later, second = calendar.add(start, length + more), calendar.add(start + more, length)
    assert later is not None
    assert second is not None
    assert min(later, second) >= due
    if length > NONE:
        assert calendar.is_open(due - timedelta(microseconds=1)), "due outside of working hours"


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def jumps(test: Callable[..., None]) -> Callable[..., None]:
    full, night = ((0, DAY),), ((60, 150), (150, 400))
    for zone, before in JUMPS:
        for week in ((full,) * 7, (night,) * 7):
            test = example(Calendar("c", "jump", ZoneInfo(zone), week), at(before), 7 * HOUR, 3 * HOUR)(test)
    return test


@jumps
@given(CALENDARS, MOMENTS, LENGTHS, LENGTHS)
@examples(150)
def test_due_times_never_run_backwards_and_lie_in_working_hours(
    calendar: Calendar, start: datetime, length: timedelta, more: timedelta
) -> None:
    holds_for(calendar, start, length, more)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(CALENDARS, MOMENTS, LENGTHS, LENGTHS)
@examples(5000)
def test_due_times_never_run_backwards_in_five_thousand_examples(
    calendar: Calendar, start: datetime, length: timedelta, more: timedelta
) -> None:
    holds_for(calendar, start, length, more)


@pytest.mark.parametrize(
    "names", [ZONES[::12], pytest.param(ZONES, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])], ids=["some", "all"]
)
def test_every_zone_has_exact_days_through_a_year_of_jumps(names: list[str]) -> None:
    day = date(2026, 1, 1)
    for name in names:
        zone = ZoneInfo(name)
        whole = Calendar("c", "whole", zone, (((0, DAY),),) * 7)
        first, last = moment_of(zone, day, 0), moment_of(zone, day.replace(year=2027), 0)
        assert whole.between(first, last) == last - first, name
        split = Calendar("c", "split", zone, (((0, 90), (90, 150), (150, DAY)),) * 7)
        assert split.add(first, last - first) == last, name


@given(st.sampled_from(ZONES).map(ZoneInfo), MOMENTS, LENGTHS)
@examples(150)
def test_a_calendar_without_a_break_is_plain_addition(zone: ZoneInfo, start: datetime, length: timedelta) -> None:
    always = Calendar("c", "always", zone, always=True)
    whole = Calendar("c", "whole", zone, (((0, DAY),),) * 7)
    assert always.add(start, length) == start + length
    assert whole.add(start, length) == start + length
    assert always.between(start, start + length) == whole.between(start, start + length) == length


@given(st.sampled_from(ZONES).map(ZoneInfo), MOMENTS, LENGTHS)
@examples(40)
def test_an_empty_calendar_is_never_due(zone: ZoneInfo, start: datetime, length: timedelta) -> None:
    assume(length > NONE)
    empty = Calendar("c", "empty", zone)
    assert empty.add(start, length) is None
    assert empty.between(start, start + length) == NONE
    assert not empty.is_open(start)


@given(CALENDARS, MOMENTS, LENGTHS, LENGTHS)
@examples(60)
def test_working_times_add_up(calendar: Calendar, start: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = start + first, start + first + second
    assert calendar.between(start, end) == calendar.between(start, middle) + calendar.between(middle, end)
    assert calendar.between(start, end) <= end - start
    assert all(opens < closes for opens, closes in calendar.spans(start, end))


# ── jumps of the clock, by hand ─────────────────────────────────────────────────────────────────────


def test_an_interval_over_a_gap_is_an_hour_shorter() -> None:
    nights = calendar("Europe/Berlin", "01:00-05:00")
    assert nights.between(at("2026-03-28T23:00+00:00"), at("2026-03-29T10:00+00:00")) == 3 * HOUR
    assert nights.add(at("2026-03-29T00:30+00:00"), HOUR) == at("2026-03-29T01:30+00:00")


def test_an_interval_that_lies_in_a_gap_is_gone() -> None:
    swallowed = calendar("Europe/Berlin", "02:10-02:50", "sunday")
    assert swallowed.between(at("2026-03-28T00:00+00:00"), at("2026-03-30T00:00+00:00")) == NONE
    assert swallowed.add(at("2026-03-28T00:00+00:00"), timedelta(minutes=1)) == at("2026-04-05T00:11+00:00")


def test_an_interval_over_an_overlap_is_an_hour_longer() -> None:
    nights = calendar("Europe/Berlin", "01:00-05:00")
    assert nights.between(at("2026-10-24T22:00+00:00"), at("2026-10-25T10:00+00:00")) == 5 * HOUR


def test_a_time_that_comes_twice_is_its_first() -> None:
    assert moment_of(BERLIN, date(2026, 10, 25), 150) == at("2026-10-25T00:30+00:00")
    assert moment_of(BERLIN, date(2026, 3, 29), 150) == at("2026-03-29T01:00+00:00")


def test_a_day_that_was_left_out_has_no_hours() -> None:
    apia = calendar("Pacific/Apia")
    assert apia.between(at("2011-12-29T10:00-10:00"), at("2011-12-31T12:00+14:00")) == 10 * HOUR  # Thursday's last 7 and Saturday's first 3


def test_the_leap_day_is_a_day_of_work() -> None:
    office = calendar(days="monday-friday")
    assert office.add(at("2028-02-28T16:00+00:00"), 2 * HOUR) == at("2028-02-29T10:00+00:00")
    assert calendar(closed="[02-29]").add(at("2028-02-28T16:00+00:00"), 2 * HOUR) == at("2028-03-01T10:00+00:00")


def test_the_year_ends_between_two_holidays() -> None:
    berlin = calendar("Europe/Berlin", days="monday-friday", holidays="{country: DE, subdivision: BE}", closed="[2026-12-31]")
    assert berlin.add(at("2026-12-30T16:00+01:00"), 2 * HOUR) == at("2027-01-04T10:00+01:00")


def test_several_intervals_a_day_have_a_break_between() -> None:
    split = calendar("Europe/Berlin", "09:00-12:30, 13:30-17:00")
    assert split.add(at("2026-11-23T12:00+01:00"), HOUR) == at("2026-11-23T14:00+01:00")
    assert split.add(at("2026-11-23T12:00+01:00"), timedelta(minutes=30)) == at("2026-11-23T12:30+01:00"), "not after the break"


def test_a_night_shift_ends_the_next_morning() -> None:
    night = calendar("Europe/Berlin", "22:00-06:00", "friday")
    assert night.add(at("2026-11-27T23:00+01:00"), 6 * HOUR) == at("2026-11-28T05:00+01:00")
    assert not night.is_open(at("2026-11-28T06:00+01:00"))


# ── the five published failures that R-11 names ─────────────────────────────────────────────────────


def test_zammad_3180_a_calendar_around_the_clock_is_open_in_the_minute_before_midnight() -> None:
    whole = calendar("Europe/Berlin", "00:00-24:00")
    assert whole.is_open(at("2026-11-27T23:59:30+01:00"))
    assert whole.add(at("2026-11-27T23:30+01:00"), HOUR) == at("2026-11-28T00:30+01:00")
    with pytest.raises(BadData, match="23:59 leaves the last minute of the day closed"):
        calendar(hours="00:00-23:59")


def test_zammad_1395_a_calendar_without_hours_breaks_nothing() -> None:
    for text in ("hours: {}", "hours: {monday-sunday: closed}", "closed: []"):
        empty = load.__wrapped__(written(f"c:\n  title: t\n  zone: Europe/Berlin\n  {text}\n"))["c"]
        assert empty.add(at("2026-11-27T12:00+00:00"), HOUR) is None
        assert empty.add(at("2026-11-27T12:00+00:00"), NONE) == at("2026-11-27T12:00+00:00")


def test_zammad_4432_nothing_is_due_at_midnight_or_at_two_in_the_night() -> None:
    office = calendar("Europe/Berlin", "08:00-12:00, 13:00-18:00", "monday-friday", holidays="{country: DE}")
    start = at("2026-01-01T00:00+00:00")
    for step in range(0, 365 * 24, 5):
        for hours in (1, 4, 8, 24):
            due = office.add(start + step * HOUR, hours * HOUR)
            assert due is not None
            wall = due.astimezone(BERLIN)
            assert 8 * 60 < wall.hour * 60 + wall.minute <= 18 * 60, wall
            assert wall.weekday() < 5


def test_zammad_5865_the_edges_of_a_month_are_those_of_the_zone() -> None:
    auckland = calendar("Pacific/Auckland", days="monday-friday", closed="[2026-12-01]")
    start = at("2026-11-30T16:00+13:00")
    assert start.astimezone(UTC).day == 30
    assert auckland.add(start, 2 * HOUR) == at("2026-12-02T10:00+13:00")
    honolulu = calendar("Pacific/Honolulu", closed="[2026-11-30]")
    assert honolulu.add(at("2026-12-01T08:00+00:00"), HOUR) == at("2026-12-01T10:00-10:00"), "there it is still the 30th"


def test_zammad_6134_october_has_all_its_days_in_london() -> None:
    london = calendar("Europe/London", days="monday-friday", holidays="{country: GB, subdivision: ENG}")
    worked = {span[0].astimezone(LONDON).date() for span in london.spans(at("2026-10-01T00:00+01:00"), at("2026-11-01T00:00+00:00"))}
    assert worked == {date(2026, 10, day) for day in range(1, 32) if date(2026, 10, day).weekday() < 5}
    assert london.between(at("2026-10-01T00:00+01:00"), at("2026-11-01T00:00+00:00")) == len(worked) * 8 * HOUR


# ── the file ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("c:\n  zone: UTC\n", "line 2, c: title must be given"),
        ("c:\n  title: t\n  zone: Mars/Base\n", "line 3, c.zone: there is no time zone 'Mars/Base'"),
        ("c:\n  title: t\n  zone: ../../etc/passwd\n", "line 3, c.zone: there is no time zone"),
        ("c:\n  title: t\n  zone: UTC\n  hours:\n    munday: 09:00-17:00\n", "line 5, c.hours.munday: 'munday' is no weekday"),
        ("c:\n  title: t\n  zone: UTC\n  hours:\n    monday: nine to five\n", "line 5, c.hours.monday: 'nine to five' is no interval"),
        ("c:\n  title: t\n  zone: UTC\n  hours:\n    monday: 09:00-12:00, 11:00-17:00\n", "two intervals of a day overlap"),
        ("c:\n  title: t\n  zone: UTC\n  hours:\n    monday: 09:00-09:00\n", "is no time at all"),
        ("c:\n  title: t\n  zone: UTC\n  hours:\n    monday: 09:75-17:00\n", "is no interval"),
        ("c:\n  title: t\n  zone: UTC\n  closed:\n  - 2026-12-24\n  - 2026-02-30\n", "line 6, c.closed[1]: '2026-02-30' is no day"),
        ("c:\n  title: t\n  zone: UTC\n  holidays: {country: XX}\n", "line 4, c.holidays.country: the package holidays knows no XX"),
        ("c:\n  title: t\n  zone: UTC\n  holidays: {country: DE, subdivision: ZZ}\n", "c.holidays.subdivision"),
        ("c:\n  title: t\n  zone: UTC\n  always: true\n  hours: {}\n", "always open has neither hours nor holidays"),
        ("c:\n  title: t\n  zone: UTC\n  hour: {}\n", "line 4, c.hour: is not known here"),
        ("c:\n  title: t\n  title: u\n", "line 3, c.title: stands here twice"),
        ("c: [\n", "is no YAML"),
        ("", "is empty"),
        ("- a\n", "must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_field(text: str, told: str) -> None:
    with pytest.raises(BadData) as error:
        load.__wrapped__(written(text))
    assert told in str(error.value)
    assert "calendars.yaml" in str(error.value)


def test_a_file_that_is_missing_is_told() -> None:
    with pytest.raises(BadData, match="cannot be read"):
        load.__wrapped__(Path("/nowhere/calendars.yaml"))


def test_a_zone_is_an_iana_name_and_never_a_file() -> None:
    assert zone_of("Europe/Berlin") == BERLIN
    for name in ("", "Nowhere", "../UTC", "/etc/localtime", "a" * 100, "Europe", "\x00"):
        assert zone_of(name) is None
