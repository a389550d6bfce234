"""CI's tiers: README, `.ci/`, tox.ini, the workflows and the classifiers agree. docs/testing.md describes them."""

from __future__ import annotations

import configparser
import re
from itertools import chain
from pathlib import Path

import pytest
from django.test import TestCase

pytest.importorskip("tox")
pytest.importorskip("yaml")

import yaml
from tox.config.loader.ini.factor import extend_factors

from toxfile import SUPPORTED

ROOT = Path(__file__).resolve().parent.parent
RUN = (ROOT / ".ci/run").read_text(encoding="utf-8")
NEWER = (ROOT / ".ci/newer_pythons").read_text(encoding="utf-8")
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob(".github/workflows/*.yml")}
TOX = configparser.ConfigParser(interpolation=None)
TOX.read(ROOT / "tox.ini", encoding="utf-8")


def names(text: str) -> list[str]:
    """Return the environments that a list of tox.ini names. `{}` stands for several."""
    return list(extend_factors(text.strip().replace("\n", ",")))


FULL = names(TOX["tox"]["env_list"])
LABELS = {
    label: names(text) for label, text in (line.split(" = ") for line in TOX["tox"]["labels"].strip().splitlines())
}


def environments(workflow: str) -> list[str]:
    """Return the tox environments of all jobs of a workflow."""
    rows = chain.from_iterable(job["strategy"]["matrix"]["include"] for job in WORKFLOWS[workflow]["jobs"].values()
                               if "strategy" in job)  # fmt: skip
    return [name for row in rows for name in row["tox"].split(",")]


def python_of(environment: str) -> str | None:
    """Return the version of Python that an environment's name demands, such as "3.11" for py311-dj52."""
    found = re.match(r"py(\d)(\d+)", environment)
    return found and f"{found[1]}.{found[2]}"


def test_ci_runs_the_command_that_readme_gives() -> None:
    command = re.search(r"^python3 -m venv .+/tox .+$", RUN, re.MULTILINE)

    assert command is not None
    assert f"```sh\n{command[0].removesuffix(' || exit')}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_requires_all_interpreters_and_servers() -> None:
    required = re.findall(r'^export REQUIRE_INTERPRETERS="(.+)"$', RUN + NEWER, re.MULTILINE)

    assert " ".join(required).split() == list(SUPPORTED)
    assert "\nexport REQUIRE_SERVERS=1\n" in RUN


def test_ci_runs_the_newer_pythons_where_they_are() -> None:
    left_out = re.search(r'--skip-env "([^"]+)"', RUN)

    assert left_out is not None
    assert [name for name in FULL if re.match(left_out[1], name)] == LABELS["newer"]
    assert "\n.ci/newer_pythons -m newer " in RUN


def test_the_matrix_has_each_python_and_each_django() -> None:
    classifiers = re.findall(r'"(?:Programming Language :: Python|Framework :: Django) :: (\d\.\d+)"',
                             (ROOT / "setup.py").read_text(encoding="utf-8"))  # fmt: skip
    djangos = {f"{found[1]}.{found[2]}" for found in re.finditer(r"-dj(\d)(\d)", " ".join(FULL))}

    assert {python_of(name) for name in FULL} - {None} == set(SUPPORTED)
    assert set(classifiers) == set(SUPPORTED) | djangos


def test_each_pair_runs_on_every_push_or_nightly() -> None:
    pairs = re.findall(r"py\d+-dj\d+", " ".join(FULL + LABELS["nightly"]))
    django_60_and_61 = [f"py{version.replace('.', '')}-dj{django}" for version in SUPPORTED[1:] for django in (60, 61)]
    unsupported = {"py315-dj60"}  # Django 6.0 ends with Python 3.14, as 5.2 does

    assert set(pairs) == {"py311-dj52", "py312-dj52", "py313-dj52", "py314-dj52", *django_60_and_61} - unsupported


@pytest.mark.parametrize(("workflow", "tier"), [("ci", ["quick", *FULL]), ("nightly", LABELS["nightly"])])
def test_a_workflow_runs_its_whole_tier_once(workflow: str, tier: list[str]) -> None:
    assert sorted(environments(workflow)) == sorted(tier)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_has_the_python_of_each_environment(workflow: str) -> None:
    for job in WORKFLOWS[workflow]["jobs"].values():
        for row in job.get("strategy", {}).get("matrix", {}).get("include", []):
            needed = {python_of(name) for name in row["tox"].split(",")} - {None}
            assert needed <= {row.get("python", "3.13")}, row
            assert row.get("python", "3.13") in SUPPORTED, row
            assert job["env"]["REQUIRE_INTERPRETERS"] == "${{ matrix.python || '3.13' }}"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_reads_alone_and_names_its_actions_by_commit(workflow: str) -> None:
    text = (ROOT / f".github/workflows/{workflow}.yml").read_text(encoding="utf-8")

    assert WORKFLOWS[workflow]["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOWS[workflow]["jobs"].values())
    assert text.count("uses: ") == len(re.findall(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) > 0
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def is_database(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("database") is not None


@pytest.mark.django_db
def test_a_test_with_the_marker_uses_a_database(request: pytest.FixtureRequest) -> None:
    assert is_database(request)


@pytest.mark.usefixtures("site_token")
def test_a_test_whose_fixture_needs_one_uses_a_database(request: pytest.FixtureRequest) -> None:
    assert is_database(request)


class DjangosOwn(TestCase):
    @pytest.fixture(autouse=True)
    def _request(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def test_djangos_own_test_case_uses_a_database(self) -> None:
        assert is_database(self.request)


def test_any_other_test_uses_none(request: pytest.FixtureRequest) -> None:
    assert not is_database(request)
