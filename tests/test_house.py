"""The files around the book agree with each other, and the workflows ask for little and pin all."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = [
    found[1]
    for classifier in PROJECT["classifiers"]
    if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
]
#: What a job may ask for beyond reading the repository.
MAY_WRITE = {("book.yml", "deploy"): {"pages", "id-token"}}


def text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8")


def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    """The steps of all the jobs of a workflow."""
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def code(name: str) -> str:
    """The commands in a Markdown file: shell blocks, and code within a line."""
    blocks = re.findall(r"```sh.*?```|`[^`\n]+`", text(name), re.DOTALL)
    return "\n".join(blocks)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit_with_its_version(path: Path) -> None:
    uses = re.findall(r"uses: (.+)", path.read_text("utf-8"))
    assert len(uses) == sum("uses" in step for step in steps(path)) > 0
    for action in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_an_action_has_the_same_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, pin in re.findall(r"uses: (\S+)@(.+)", path.read_text("utf-8")):
            pins.setdefault(action, set()).add(pin)
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_only_read_except_for_the_deployment(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        asked = job.get("permissions", {})
        assert set(asked) == MAY_WRITE.get((path.name, name), set())
        assert job["timeout-minutes"] <= 90
    for step in steps(path):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_no_workflow_runs_for_a_stranger_with_the_repositorys_rights() -> None:
    for path in WORKFLOWS:
        events = load(path)[True]  # YAML 1.1 reads the key "on" so
        assert "pull_request_target" not in events, path.name


def test_the_matrix_is_the_pythons_that_the_package_promises() -> None:
    jobs = load(ROOT / ".github/workflows/test.yml")["jobs"]
    assert set(jobs) == {"test", "wheel", "no-make"}
    for name in ("test", "wheel"):
        assert jobs[name]["strategy"]["matrix"]["python"] == PYTHONS
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert f"Python {PYTHONS[0]}–{PYTHONS[-1]}" in text("README.md")


def test_the_other_systems_run_the_commands_that_the_book_gives() -> None:
    job = load(ROOT / ".github/workflows/test.yml")["jobs"]["no-make"]
    systems = job["strategy"]["matrix"]["system"]
    assert [system.partition("-")[0] for system in systems] == ["macos", "windows"]
    said = text("book/how-to-use.md")
    commands = [step["run"] for step in job["steps"] if "run" in step]
    for command in ("python -m venv .venv", "pip install -r requirements.txt"):
        assert command in commands
        assert command in said
    assert "jupyter-book build . -n -W --keep-going" in commands
    assert "`jupyter-book build . -n -W --keep-going`" in said
    assert "pytest --nbval notebooks" in commands
    assert "pytest --nbval notebooks" in said


def test_the_citation_is_of_this_version_and_repository() -> None:
    citation = load(ROOT / "CITATION.cff")
    config = load(ROOT / "_config.yml")
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["repository-code"] == config["repository"]["url"]
    assert citation["title"] == config["title"]
    assert citation["license"][0] == PROJECT["license"]
    assert {"cff-version", "message", "authors"} <= set(citation)


def test_the_changelog_tells_of_this_version_or_of_what_comes() -> None:
    changelog = text("CHANGELOG.md")
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == PROJECT["version"]
    for heading in headings:
        assert re.search(rf"^\[{re.escape(heading)}\]: https://", changelog, re.MULTILINE)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/architecture.md"])
def test_make_commands_in_the_text_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    said = set(re.findall(r"\bmake ([a-z][a-z-]*)", code(name)))
    assert said, name
    assert said <= targets


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_and_pictures_in_the_text_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)|src=\"(.+?)\"", text(name))
    files = [a or b for a, b in links if not (a or b).startswith("https://")]
    assert files, name
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_place_that_the_readme_maps_exists() -> None:
    house = text("README.md").split("## The house")[1].split("\n## ")[0]
    places = re.findall(r"^\| (`[^|]+) \|", house, re.MULTILINE)
    files = [file for place in places for file in re.findall(r"`([\w./-]+)`", place)]
    assert len(files) > 8
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_forms_for_issues_can_be_read_by_github() -> None:
    forms = [
        path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
    ]
    assert len(forms) >= 3
    for path in forms:
        form = load(path)
        assert {"name", "description", "body"} <= set(form)
        names = [field["id"] for field in form["body"]]
        assert len(set(names)) == len(names)
        assert {field["type"] for field in form["body"]} <= {"input", "textarea"}
        assert all(field["attributes"]["label"] for field in form["body"])


def test_nothing_strips_the_notebooks_of_their_outputs() -> None:
    hooks = [
        hook["id"]
        for repo in load(ROOT / ".pre-commit-config.yaml")["repos"]
        for hook in repo["hooks"]
    ]
    assert hooks == ["ruff-check", "ruff-format"]


def test_dependabot_watches_actions_and_requirements_and_waits_a_week() -> None:
    updates = load(ROOT / ".github/dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    (pip,) = (update for update in updates if update["package-ecosystem"] == "pip")
    assert [place for place in pip["directories"] if not list(ROOT.glob(f".{place}/*.txt"))] == []


def test_the_weekly_run_audits_all_locks_with_exact_versions_of_its_tools() -> None:
    commands = " ".join(
        step.get("run", "") for step in steps(ROOT / ".github/workflows/weekly.yml")
    )
    for lock in ("requirements.lock", "book/requirements.lock", "book/requirements-sphinx.lock"):
        assert f"--strict --disable-pip --require-hashes -r {lock}" in commands
    tools = [line for line in text(".github/requirements.txt").splitlines() if line[0] != "#"]
    assert len(tools) >= 2
    assert [tool for tool in tools if not re.fullmatch(r"[\w-]+==[\d.]+", tool)] == []
    installed = re.findall(r"pip install (.+)", commands.replace("python", "\n"))
    assert [what.strip() for what in installed] == ["-r .github/requirements.txt"]


def wanted(name: str) -> list[Requirement]:
    """What a requirements file asks for, those that it includes and the package's own as well."""
    found = []
    for line in text(name).splitlines():
        if line.startswith("-r "):
            found += wanted(line.removeprefix("-r "))
        elif line == "-e .":
            found += [Requirement(dependency) for dependency in PROJECT["dependencies"]]
        elif line and not line.startswith("#"):
            found.append(Requirement(line))
    return found


@pytest.mark.parametrize("file", ["requirements", "book/requirements", "book/requirements-sphinx"])
def test_the_lock_holds_what_the_requirements_ask_for_with_hashes(file: str) -> None:
    entries = re.findall(
        r"^([\w.-]+)==([\w.+!-]+)(.*?)(?=^\S|\Z)",
        text(f"{file}.lock"),
        re.MULTILINE | re.DOTALL,
    )
    assert [name for name, _, rest in entries if "--hash=sha256:" not in rest] == []
    locked: dict[str, list[str]] = {}
    for name, version, _ in entries:
        locked.setdefault(canonicalize_name(name), []).append(version)
    for requirement in wanted(f"{file}.txt"):
        versions = locked.get(canonicalize_name(requirement.name), [])
        fits = bool(versions) and all(version in requirement.specifier for version in versions)
        assert fits, f"{requirement} is locked as {versions}; run `make lock`"
