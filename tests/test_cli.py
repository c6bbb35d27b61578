import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import cvcourse.__main__ as cli
from cvcourse.data import load
from cvcourse.models import standardized
from cvcourse.models.fast_cnn import FastCNN

OPTIONS = (
    *("train", "--recipe", "mlp", "--images", "300", "--epochs", "2"),
    *("--batch-size", "60", "--validation", "5"),
)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("alone") / "weights.safetensors"
    command = ("-m", "cvcourse", *OPTIONS, "--accelerator", "cpu", "--output", str(path))
    return run(sys.executable, *command), path


def test_it_trains_reports_and_writes_the_weights(alone: tuple[str, Path]) -> None:
    report, path = alone
    assert report.count("validation_accuracy") == 2
    assert float(re.search(r"test accuracy ([\d.]+)", report)[1]) > 0.3
    assert len(load_file(path)) == 8


def test_the_fast_recipe_trains_a_whitened_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = cli.RECIPES["fast"]._replace(model=partial(FastCNN, width=8))
    monkeypatch.setitem(cli.RECIPES, "fast", narrow)
    path = tmp_path / "weights.safetensors"
    options = cli.Train(
        recipe="fast", images=400, epochs=4, batch_size=50, accelerator="cpu", output=path
    )
    cli.main(options)
    report = capsys.readouterr().out
    assert float(re.search(r"test accuracy ([\d.]+)", report)[1]) > 0.4
    filters = load_file(path)["1.first.weight"]  # (24, 3, 2, 2)
    torch.testing.assert_close(filters[:12], -filters[12:])
    rates = re.findall(r"learning_rate ([\d.]+)", report)
    assert 0.7 < float(rates[0]) < 1.0, "what is reported is the rate of all but the biases"


def test_the_first_layer_is_computed_from_pictures_of_all_parts_of_the_training_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrow = cli.RECIPES["fast"]._replace(model=partial(FastCNN, width=2))
    monkeypatch.setitem(cli.RECIPES, "fast", narrow)
    monkeypatch.setattr(cli, "LOOKED_AT", 4)
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(FastCNN, "whiten", lambda network, images: seen.append(images))
    cli.main(cli.Train(recipe="fast", images=30, epochs=1, batch_size=10, accelerator="cpu"))
    train = load("shapes", "train", n=30)
    standardize, _ = standardized(FastCNN, train, width=2)
    (images,) = seen
    torch.testing.assert_close(images, standardize(train.images[[0, 8, 16, 24]]))


HERE = Path(sys.executable).parent  # where the environment's commands are
TWO = ("--accelerator", "cpu", "--devices", "2")
LAUNCHERS = {
    "own": (sys.executable, "-m", "cvcourse", *OPTIONS, *TWO),
    "torchrun": (f"{HERE}/torchrun", "--nproc-per-node", "2", "-m", "cvcourse", *OPTIONS, *TWO),
    "fabric run": (f"{HERE}/fabric", "run", *TWO, cli.__file__, *OPTIONS),
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_do_what_one_does(
    launcher: str, alone: tuple[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "weights.safetensors"
    report = run(*LAUNCHERS[launcher], "--output", str(path))
    assert report.count("test accuracy") == 1, "only the first process reports"
    one, two = load_file(alone[1]), load_file(path)
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=0)


def test_two_processes_that_are_killed_come_to_the_same_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cvcourse", *OPTIONS, *TWO, "--epochs", "12"]
    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    checkpoint = tmp_path / "run.ckpt"
    run(*command, "--output", str(whole))
    victim = subprocess.Popen(
        [*command, "--checkpoint", str(checkpoint), "--output", str(resumed)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not checkpoint.exists() and victim.poll() is None:
        time.sleep(0.01)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    assert checkpoint.exists()
    assert not resumed.exists(), "it was to be killed before its end"
    run(*command, "--checkpoint", str(checkpoint), "--output", str(resumed))
    one, two = load_file(whole), load_file(resumed)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("option", ["checkpoint", "output"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(
    tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "load", None)  # not even the data are loaded
    with pytest.raises(OSError, match=rf"cannot write: is no regular file.*{tmp_path}"):
        cli.main(cli.Train(recipe="mlp", accelerator="cpu", **{option: tmp_path}))


def test_a_terminal_that_lacks_the_letters_of_a_path_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "무게.safetensors"
    done = subprocess.run(
        [sys.executable, "-m", "cvcourse", *OPTIONS, "--accelerator", "cpu", "--output", str(path)],
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert b"weights written to" in done.stdout
    assert path.exists()


def test_an_unknown_dataset_is_one_clear_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cvcourse", "train", "--dataset", "cifar11"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cifar11" in done.stderr.strip().splitlines()[-1]
    assert "cifar10" in done.stderr
