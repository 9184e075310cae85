"""The command line as an operator runs it: real processes, alone, beside a running server, and without any network."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from knowledge.publishing import Change
from tests.builders import CARD, FIRSTLINE, ROOT, SAMPLE, environment, firstline, in_line, running_in, serving, stored_bytes

ARTICLES = {
    "refunds.md": "---\ntitle: Ask for a refund\n---\n\n1. Open **Billing**.\n2. Press **Refund**.\n",
    "invoices.md": "---\ntitle: Download an invoice\n---\n\nOpen **Invoices** and press **Download**.\n",
    "faqs.csv": "question,answer\nHow long is the trial?,The trial lasts 14 days.\n",
}


@pytest.fixture
def data(tmp_path: Path, prepared_sqlite: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(prepared_sqlite, folder)
    return folder


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text)
    return folder


def counts(output: str) -> dict[str, int]:
    """The closing table."""
    return {name: int(number) for name, number in re.findall(r"^\s*(\w+)\s+(\d+)\s*$", output, re.MULTILINE)}


NOTHING = {change.value: 0 for change in Change}

# ── reading articles in ─────────────────────────────────────────────────────────────────────────────


def test_the_closing_table_tells_what_became_of_every_article(data: Path, handbook: Path) -> None:
    first = firstline(data, "ingest", str(handbook))
    assert (first.returncode, counts(first.stdout)) == (0, {**NOTHING, "new": 3})
    assert re.search(r"3 in \d+\.\d s, \d+\.\d a second", first.stdout)

    (handbook / "refunds.md").write_text(ARTICLES["refunds.md"].replace("Billing", "Money"))
    (handbook / "empty.md").write_text("")
    (handbook / "invoices.md").unlink()
    second = firstline(data, "ingest", str(handbook), "--prune")
    assert second.returncode == 1
    assert counts(second.stdout) == {**NOTHING, "changed": 1, "unchanged": 1, "failed": 1}
    assert "empty.md: is empty" in second.stdout
    assert "nothing was retired" in second.stdout

    (handbook / "empty.md").unlink()
    would = firstline(data, "ingest", str(handbook), "--prune", "--dry-run")
    assert (would.returncode, counts(would.stdout)) == (0, {**NOTHING, "unchanged": 2, "retired": 1})
    assert "What would happen" in would.stdout
    third = firstline(data, "ingest", str(handbook), "--prune")
    assert counts(third.stdout) == {**NOTHING, "unchanged": 2, "retired": 1}
    assert counts(firstline(data, "ingest", str(handbook), "--prune").stdout) == {**NOTHING, "unchanged": 2}
    with running_in(data) as service:
        assert in_line(service)


def test_a_dry_run_changes_nothing(data: Path, handbook: Path) -> None:
    would = firstline(data, "ingest", str(handbook), "--dry-run")
    assert counts(would.stdout) == {**NOTHING, "new": 3}
    assert counts(firstline(data, "ingest", str(handbook)).stdout) == {**NOTHING, "new": 3}


def test_sources_of_different_names_do_not_touch_each_other(data: Path, handbook: Path) -> None:
    firstline(data, "ingest", str(handbook), "--source", "one")
    other = firstline(data, "ingest", str(handbook / "refunds.md"), "--source", "two", "--prune")
    assert counts(other.stdout) == {**NOTHING, "new": 1}


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_comes_as_json_with_all_there_is_to_know(data: Path, handbook: Path) -> None:
    firstline(data, "ingest", str(handbook))
    done = firstline(data, "ask", "--json", "How long is the trial?")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"text", "outcome", "sources", "choices", "probability", "milliseconds"} <= set(answer)
    assert answer["milliseconds"] > 0
    plain = firstline(data, "ask", "How long is the trial?")
    assert answer["outcome"] in plain.stdout
    assert " ms" in plain.stdout


def test_a_search_explains_itself(data: Path, handbook: Path) -> None:
    firstline(data, "ingest", str(handbook))
    explained = json.loads(firstline(data, "search", "refund", "--json").stdout)
    assert explained["passages"][0]["title"] == "Ask for a refund"
    plain = firstline(data, "search", "refund", "--explain").stdout
    assert "Ask for a refund" in plain
    assert "decision:" in plain
    assert "meaning" in plain


def test_a_card_number_in_a_question_never_reaches_the_disk(data: Path) -> None:
    assert firstline(data, "ask", f"I paid with {CARD}, where is my money?").returncode == 0
    assert CARD.encode() not in stored_bytes(data)
    assert b"where is my money?" in stored_bytes(data)


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["ask", "x"], {"FIRSTLINE_PROT": "1"}, "FIRSTLINE_PROT is not a setting; did you mean FIRSTLINE_PORT?"),
        (["ask", "x"], {"FIRSTLINE_PORT": "many"}, "FIRSTLINE_PORT: "),
        (["ask", " "], {}, "the question is empty"),
        (["ingest", "/nowhere/at/all"], {}, "there is no file or folder /nowhere/at/all"),
        (["ask", "x"], {"FIRSTLINE_DATABASE_URL": "nonsense"}, "the database cannot be used: "),
        (["ask", "x"], {"FIRSTLINE_DATABASE_URL": "postgresql+psycopg://u@127.0.0.1:1/x"}, "the database cannot be used: "),
    ],
)
def test_a_mistake_of_the_operator_is_one_sentence(data: Path, arguments: list[str], settings: dict[str, str], said: str) -> None:
    done = firstline(data, *arguments, **settings)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_database_of_a_newer_version_is_refused_in_words(data: Path) -> None:
    from sqlalchemy import text

    from api.database import Database

    database = Database(f"sqlite:///{data / 'firstline.db'}")
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    database.close()
    done = firstline(data, "ask", "x")
    assert done.returncode == 2
    assert "written by a newer version" in done.stderr


def test_an_index_that_another_command_holds_is_told_in_words(data: Path) -> None:
    with running_in(data):
        done = firstline(data, "ask", "x")
    assert done.returncode == 2
    assert f"in use by process {os.getpid()}" in done.stderr


# ── beside a running server ─────────────────────────────────────────────────────────────────────────


def test_the_command_line_works_beside_a_running_server(data: Path, handbook: Path) -> None:
    with serving(data) as served:
        assert counts(firstline(data, "ingest", str(handbook)).stdout) == {**NOTHING, "new": 3}
        found = httpx.get(f"{served.url}/api/search", params={"q": "refund"}).json()
        assert found["articles"][0]["title"] == "Ask for a refund"
        asked = firstline(data, "ask", "--json", "How long is the trial?")
        assert asked.returncode == 0
        assert json.loads(asked.stdout)["outcome"]
        assert json.loads(firstline(data, "search", "refund", "--json").stdout)["passages"][0]["title"] == "Ask for a refund"
        (handbook / "invoices.md").unlink()
        assert counts(firstline(data, "ingest", str(handbook), "--prune").stdout) == {**NOTHING, "unchanged": 2, "retired": 1}
        assert "invoice" not in httpx.get(f"{served.url}/help").text
        assert "passages are live" in firstline(data, "reindex").stdout
        owner = data / "chroma.owner"
        assert owner.stat().st_mode & 0o077 == 0
        token = json.loads(owner.read_text())["token"]
    assert token not in "".join(served.output)
    assert token.encode() not in stored_bytes(data)
    with running_in(data) as service:
        assert service.repaired == (0, 0)
        assert in_line(service)


def test_a_server_that_was_killed_leaves_no_lock(data: Path, handbook: Path) -> None:
    with serving(data) as served:
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
        assert counts(firstline(data, "ingest", str(handbook)).stdout) == {**NOTHING, "new": 3}


def test_a_server_closes_everything_when_it_is_told_to_end(data: Path) -> None:
    with serving(data) as served:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(20) == 0
        assert "Traceback" not in "".join(served.output)


def test_no_secret_is_in_what_a_server_writes(data: Path) -> None:
    with serving(data, FIRSTLINE_LOG_LEVEL="debug") as served:
        started = httpx.post(f"{served.url}/api/conversations", json={}).json()
        headers = {"Authorization": f"Bearer {started['secret']}"}
        url = f"{served.url}/api/conversations/{started['id']}/messages"
        assert httpx.post(url, json={"text": "hello"}, headers=headers).status_code == 200
        assert httpx.get(url, headers=headers).status_code == 200
        assert httpx.get(url, params={"secret": started["secret"]}).status_code == 401
    assert started["secret"] not in "".join(served.output)


# ── what is loaded ──────────────────────────────────────────────────────────────────────────────────


LISTING = """
import sys
sys.argv = ["firstline", *sys.argv[1:]]
from api.cli.main import app
try:
    app()
except SystemExit:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


def imports(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *arguments],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_is_shown_at_once(tmp_path: Path) -> None:
    used = []
    for _ in range(3):
        before = os.times()
        done = subprocess.run([FIRSTLINE, "--help"], env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=True)
        after = os.times()
        used.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(used) < 1
    assert all(command in done.stdout for command in ("ingest", "ask", "search", "serve", "keys", "lint", "reindex"))


def test_help_loads_nothing_slow(tmp_path: Path) -> None:
    assert imports(tmp_path, "--help").isdisjoint(
        {"torch", "openvino", "transformers", "chromadb", "sqlalchemy", "fastapi", "numpy", "sklearn"}
    )


def test_serving_with_the_packaged_models_loads_no_torch(tmp_path: Path, models: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(models)
    with serving(data, FIRSTLINE_EMBEDDER="minilm") as served:
        started = httpx.post(f"{served.url}/api/conversations", json={}).json()
        url = f"{served.url}/api/conversations/{started['id']}/messages"
        assert (
            httpx.post(
                url, json={"text": "How do I get a refund?"}, headers={"Authorization": f"Bearer {started['secret']}"}, timeout=60
            ).status_code
            == 200
        )
        maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert "openvino" in maps
    assert "libtorch" not in maps
    assert "telemetry" not in "".join(served.output).lower()


# ── without any network ─────────────────────────────────────────────────────────────────────────────

CUT_OFF = ("unshare", "-n", "--")


@pytest.fixture
def cut_off() -> None:
    if subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no network namespaces to its user")


@pytest.mark.usefixtures("cut_off")
def test_articles_are_read_in_and_asked_without_any_network(tmp_path: Path, models: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(models)
    guide = SAMPLE / "articles" / "getting-started"
    started = time.monotonic()
    ingested = firstline(data, "ingest", str(guide), before=CUT_OFF, FIRSTLINE_EMBEDDER="minilm")
    assert ingested.returncode == 0, ingested.stderr
    assert counts(ingested.stdout)["new"] >= 5
    asked = firstline(data, "ask", "--json", "How do I invite my colleagues?", before=CUT_OFF, FIRSTLINE_EMBEDDER="minilm")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["outcome"]
    assert time.monotonic() - started < 240


@pytest.mark.slow
@pytest.mark.usefixtures("cut_off")
def test_the_model_is_prepared_without_any_network(tmp_path: Path) -> None:
    done = firstline(tmp_path / "data", "ask", "--json", "How do I invite my colleagues?", before=CUT_OFF, FIRSTLINE_EMBEDDER="minilm")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "data" / "models").glob("minilm-*.xml"))
