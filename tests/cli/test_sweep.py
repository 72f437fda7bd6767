"""`lovt sweep` as a person meets it: one whole sweep, and trials written by hand for the rest."""

import json

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, distribution_to_json

from lovt_core.config.loading import load_experiment
from lovt_core.runs.directory import list_runs
from lovt_core.runs.lines import append_line
from lovt_core.runs.locks import is_locked
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.folder import SweepFolder, append_request, append_warning, create_sweep
from tests.core.runs.conftest import wait_until
from tests.core.sweeps.conftest import SPACE, make_sweep

BASE = """\
kind: selftest
name: base
training: {batch_size: 8, accumulate: 1, max_epochs: 2, precision: fp32, device: cpu}
"""
SWEEP = """\
kind: sweep
name: small
experiment: base.yaml
space:
  training.optimiser.learning_rate: {type: float, low: 1.0e-5, high: 1.0, log: true}
  training.optimiser.name: {type: categorical, choices: [adamw, adam]}
objective: {metric: val/loss}
trials: 3
jobs: 2
"""
RATE = "training.optimiser.learning_rate"


@pytest.fixture
def place(lovt, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    workspace = Workspace(tmp_path / "lovt-workspace")
    (workspace.path / "runs").mkdir(parents=True)
    workspace.settings.write_text("cpu_slots: 2\n")
    yield workspace
    locks = [*workspace.path.glob("sweeps/*/coordinator.lock"), workspace.scheduler_lock]
    wait_until(lambda: not any(map(is_locked, locks)), "coordinators and scheduler to leave")


@pytest.fixture
def written(place):
    """A finished sweep of four trials that nobody has run."""
    folder = create_sweep(place, make_sweep(), {"created": 0, "study": "small", "storage": "sqlite:////nowhere"})
    for number, (rate, value) in enumerate([(1e-4, 3.0), (1e-2, 1.0), (1e-3, 2.0)]):
        params = {RATE: rate, "training.optimiser.name": "adam"}
        distributions = {
            RATE: distribution_to_json(FloatDistribution(1e-5, 1.0, log=True)),
            "training.optimiser.name": distribution_to_json(CategoricalDistribution(("adamw", "adam"))),
        }
        line = {
            "trial": number,
            "state": "running",
            "params": params,
            "settings": params,
            "distributions": distributions,
        }
        line |= {"origin": "base" if number == 0 else "", "started": 1.0}
        append_line(folder.trials_file, line, {"trial": number, "state": "finished", "values": [value], "ended": 61.0})
    append_line(folder.trials_file, {"trial": 3, "state": "failed", "params": {}, "cause": "training x failed: NaN"})
    append_request(folder, "finished")
    return folder


def test_a_whole_sweep_and_what_was_found(lovt, place, tmp_path):
    answer = lovt("sweep", "run", "sweep.yaml")
    assert answer.code == 0, answer.err
    assert "small: finished, 3 of 3 trials (3 finished)" in answer.out
    assert answer.err.count(" finished ") >= 3
    status = json.loads(lovt("sweep", "status", "small", "--json").out)
    assert (status["state"], status["counts"], len(status["trials"])) == ("finished", {"finished": 3}, 3)
    best = json.loads(lovt("sweep", "best", "small", "--save", "best.yaml", "--json").out)[0]
    assert best["trial"] == status["best"][0]
    saved = load_experiment(tmp_path / "best.yaml")
    assert saved.name == "small-best"
    assert saved.training.optimiser.learning_rate == best["settings"][RATE]
    assert "best.yaml exists" in lovt("sweep", "best", "small", "--save", "best.yaml").err

    again = lovt("sweep", "run", "sweep.yaml", "--trials", "4", "--json")
    assert again.code == 0, again.err
    assert "is there already: going on with it" in again.err
    assert json.loads(again.out)["counts"] == {"finished": 4}
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("high: 1.0", "high: 0.5"))
    changed = lovt("sweep", "run", "sweep.yaml")
    assert (changed.code, changed.out) == (2, "")
    assert f"space.{RATE}.high: was 1.0, is 0.5; give --as-new or --name" in changed.err
    other = lovt("sweep", "run", "sweep.yaml", "--as-new", "--detach", "--trials", "1")
    assert (other.code, other.out) == (0, "small-2\n")
    rows = json.loads(lovt("sweep", "status", "--json").out)
    assert [row["sweep"] for row in rows] == ["small", "small-2"]

    queued = lovt("sweep", "confirm", "small", "--repeats", "2")
    assert "4 trainings are queued" in queued.err
    wait_until(lambda: all(read_state(run).state == "finished" for run in list_runs(place)), "all runs")
    told = json.loads(lovt("sweep", "confirm", "small", "--json").out)
    assert len(told["sides"]["best"]["values"]) == len(told["sides"]["base"]["values"]) == 2
    assert told["regression"].startswith(f"regression to the mean: val/loss of trial {best['trial']} was ")
    seeds = {run.experiment().seed for run in list_runs(place) if "confirms" in run.origin()["parent"]}
    assert seeds == {22345, 22346}


def test_stop_pause_resume_extend(lovt, place):
    assert lovt("sweep", "run", "sweep.yaml", "--detach", "--set", "selftest.seconds_per_step=0.2").out == "small\n"
    folder = SweepFolder(place, "small")
    wait_until(lambda: any(read_state(run).state == "running" for run in list_runs(place)), "a run")
    assert lovt("sweep", "pause", "small").out.startswith("small begins no more trials")
    assert lovt("sweep", "stop", "sm").out.startswith("small stops")
    wait_until(lambda: not is_locked(folder.lock), "the coordinator to leave")
    assert json.loads(lovt("sweep", "status", "small", "--json").out)["state"] == "stopped"
    assert "has " in lovt("sweep", "extend", "small", "--trials", "1").err
    stopped = folder.trials()
    assert lovt("sweep", "resume", "small").code == 0
    wait_until(lambda: not is_locked(folder.lock) and folder.trials()[0].state == "finished", "the end")
    assert [trial.runs for trial in folder.trials()[: len(stopped)]] == [trial.runs for trial in stopped]
    assert lovt("sweep", "extend", "small", "--trials", "4", "--jobs", "1").out == "small: 4 trials, 1 at once\n"
    wait_until(lambda: not is_locked(folder.lock) and len(folder.trials()) == 4, "the extended end")


def test_status_shows_best_and_causes_without_optuna(lovt, written):
    answer = lovt("sweep", "status", "small", "--sort", "value")
    assert answer.out.splitlines()[0] == "small: finished, 4 of 6 trials (3 finished, 1 failed)"
    assert answer.out.splitlines()[1] == "best: trial 1, val/loss 1"
    numbers = [line.split()[0] for line in answer.out.splitlines()[3:7]]
    assert numbers == ["*1", "2", "0", "3"]
    assert "training x failed: NaN" in answer.out
    import subprocess
    import sys

    program = "import sys; from lovt_tui.cli.main import main\n"
    program += f"sys.argv = ['lovt', 'sweep', 'status', 'small', '-w', '{written.workspace.path}']\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    program += "assert not {'optuna', 'scipy', 'sklearn', 'torch', 'sqlalchemy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, stdout=subprocess.DEVNULL).returncode == 0


def test_a_narrow_terminal_gets_the_parameters_in_one_column(lovt, written, monkeypatch):
    wide = lovt("sweep", "status", "small").out
    assert "optimiser.learning_rate  optimiser.name" in wide
    monkeypatch.setattr("lovt_tui.cli.context.PIPE_WIDTH", 80)
    narrow = lovt("sweep", "status", "small").out
    assert max(map(len, narrow.splitlines()[2:])) <= 80
    assert "optimiser.learning_rate 0.01" in narrow
    assert "parameters" in narrow


def test_understanding_and_exports(lovt, written, tmp_path):
    for kind in ("history", "slice", "contour", "parallel", "intermediate"):
        answer = lovt("sweep", "plot", "small", kind)
        assert answer.code == 0, answer.err
        assert len(answer.out.splitlines()) > (5 if kind != "intermediate" else 1)
    assert json.loads(lovt("sweep", "plot", "small", "history", "--json").out)
    assert lovt("sweep", "report", "small").out == "small.html\n"
    assert "<svg" in (tmp_path / "small.html").read_text()
    rows = lovt("sweep", "export", "small").out.splitlines()
    assert len(rows) == 5
    assert len(json.loads(lovt("sweep", "export", "small", "--json").out)["trials"]) == 4
    assert lovt("sweep", "export", "small", "-o", "t.tex").code == 0
    assert r"\toprule" in (tmp_path / "t.tex").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("status nothing", "no sweep 'nothing': there are small"),
        ("best small --trial 3", "trial 3 of small is failed: name a finished one"),
        ("best small --trial 9", "trial 9 of small is not there"),
        ("importance small --objective 4", "has no objective number 4: it has 1 (val/loss)"),
        ("plot small pareto", "objective"),
        ("plot small history --param x", "--param goes with slice and contour"),
        ("plot small slice --param x", "x"),
        ("export small --sqlite a.db --out b", "--sqlite writes the study itself"),
        ("extend small", "say what: trials, hours or jobs"),
        ("extend small --trials 2", "has 4 trials already"),
        ("confirm small --show", "has no confirmation yet"),
        ("run nothing.yaml", "no sweep file 'nothing.yaml'; shipped ones: ablations, learning_rate"),
        ("run sweep.yaml --storage journal:/x", "--storage: the sweep small is in sqlite:////nowhere"),
        ("export small -o a.txt", "'a.txt' does not tell the format"),
        ("export small --sqlite no/x.db", "there is no folder no"),
        ("run sweep.yaml --name Nö", "--name: 'Nö' is not a name"),
        ("run sweep.yaml --as-new --storage redis://x", "storage 'redis://x' cannot be used"),
        ("run base.yaml", "kind: unknown value 'selftest': only sweep"),
        ("run sweep.yaml --as-new --set training.max_epoch=3", "unknown key; did you mean 'max_epochs'"),
        ("run sweep.yaml --set training.optimiser.name=adam", "the sweep searches space.training.optimiser.name"),
        ("run sweep.yaml --hours nan", "--hours: must be a finite number above 0, not nan"),
        ("run sweep.yaml --hours inf", "--hours: must be a finite number above 0, not inf"),
        ("run sweep.yaml --hours 0", "--hours: must be a finite number above 0, not 0"),
        ("run sweep.yaml --hours -1", "--hours: must be a finite number above 0, not -1"),
        ("extend small --hours nan", "--hours: must be a finite number above 0, not nan"),
        ("extend small --hours inf", "--hours: must be a finite number above 0, not inf"),
        ("extend small --hours 0", "--hours: must be a finite number above 0, not 0"),
        ("extend small --trials 9", "the study of the sweep small is lost: sqlite:////nowhere holds 0 of its 4 trials"),
        ("resume small", "put it together again with: lovt sweep rebuild small"),
        ("export small --sqlite a.db", "put it together again with: lovt sweep rebuild small"),
        ("export small --sqlite no/a.db", "there is no folder no for --sqlite no/a.db"),
        ("best small --save no/a.yaml", "there is no folder no for --save no/a.yaml"),
        ("best small --save .", "--save . is a folder: name a file"),
        ("report small -o report.pdf", "--out report.pdf: the report is an HTML page: give a name that ends in .html"),
    ],
)
def test_bad_input(lovt, written, arguments, message):
    answer = lovt("sweep", *arguments.split())
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_a_lost_study_is_shown_but_not_begun_anew(lovt, written, monkeypatch):
    append_request(written, "resume")
    monkeypatch.setattr("lovt_tui.cli.sweep.status.BEGIN_SECONDS", -1.0)
    answer = lovt("sweep", "status", "small")
    assert answer.code == 0
    assert answer.out.startswith("small: interrupted, 4 of 6 trials (3 finished, 1 failed)")
    assert "lost: sqlite:////nowhere holds 0 of its 4 trials; put it together again with: lovt sweep reb" in answer.err
    assert not written.log.exists()
    assert not is_locked(written.lock)


def test_a_study_comes_back(lovt, written, tmp_path):
    origin = json.loads((written.path / "origin.json").read_text())
    (written.path / "origin.json").write_text(json.dumps({**origin, "storage": f"sqlite:///{tmp_path}/new.db"}))
    again = lovt("sweep", "rebuild", "small")
    assert (again.code, again.out) == (0, "small has 4 trials again, 0 of them open: lovt sweep resume small\n")
    assert lovt("sweep", "export", "small", "--sqlite", "copy.db").code == 0
    assert "has 4 trials: it is not lost" in lovt("sweep", "rebuild", "small").err


def test_what_waits_and_what_is_wrong(lovt, written):
    append_line(written.trials_file, {"trial": 4, "state": "running", "params": {}, "started": 5.0})
    append_line(written.trials_file, {"trial": 5, "state": "running", "params": {}, "started": 5.0, "began": 8.0})
    append_request(written, "pause")
    append_warning(written, "no trial can be pruned: [x]")
    shown = lovt("sweep", "status", "small").out
    assert shown.startswith("small: paused, 4 of 6 trials (3 finished, 1 running, 1 queued, 1 failed)\n")
    assert "warning: no trial can be pruned: [x]" in shown
    told = json.loads(lovt("sweep", "status", "small", "--json").out)
    assert told["warnings"] == ["no trial can be pruned: [x]"]
    assert [trial["display_state"] for trial in told["trials"][4:]] == ["queued", "running"]
    assert [trial["state"] for trial in told["trials"][4:]] == ["running", "running"]
    assert told["trials"][5]["queued_seconds"] == 3.0
    append_request(written, "stop", reason="user")
    assert "(3 finished, 2 stopped, 1 failed)" in lovt("sweep", "status", "small").out


def test_shares_are_plotted_by_the_name_in_the_file(lovt, place):
    weights = {"type": "shares", "total": 2.0, "parts": {"one": ["a"], "two": ["b"]}}
    sweep = make_sweep(space={"weights": weights, RATE: SPACE[RATE]}, start_with={"base": False})
    create_sweep(place, sweep, {"created": 0, "study": "small", "storage": "sqlite:////nowhere"})
    views = json.loads(lovt("sweep", "plot", "small", "slice", "-p", "weights", "--json").out)
    assert [view["x"]["name"] for view in views] == ["weights.one", "weights.two"]
    (view,) = json.loads(lovt("sweep", "plot", "small", "contour", "-p", "weights", "--json").out)
    assert (view["x"]["name"], view["y"]["name"]) == ("weights.one", "weights.two")
    assert "takes two parameters, not 3 (weights.one, weights.two, training" in lovt(
        "sweep", "plot", "small", "contour", "-p", "weights", "-p", RATE
    ).err  # fmt: skip


def test_no_password_is_shown(lovt, written):
    origin = json.loads((written.path / "origin.json").read_text())
    url = "postgresql+psycopg://me:s3cret@host/db"
    (written.path / "origin.json").write_text(json.dumps({**origin, "storage": url}))
    answer = lovt("sweep", "run", "sweep.yaml", "--storage", "postgresql://other:pass@host/db")
    assert answer.code == 2
    assert "is in postgresql+psycopg://me:***@host/db; give --as-new" in answer.err
    new = lovt("sweep", "run", "sweep.yaml", "--as-new", "--storage", "postgresql+psycopg://me:s3cret@127.0.0.1:9/db")
    assert "postgresql+psycopg://me:***@127.0.0.1:9/db" in new.err
    assert "s3cret" not in answer.err + answer.out + new.err + new.out


def test_the_base_outside_the_space_names_both_files(lovt, place, tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("low: 1.0e-5", "low: 1.0e-2"))
    answer = lovt("sweep", "run", "sweep.yaml")
    assert answer.code == 2
    assert "sweep.yaml: start_with.base: the base base.yaml is not in the space: training.optimiser.lear" in answer.err


def test_a_task_whose_data_is_not_prepared(lovt, place, tmp_path):
    answer = lovt("sweep", "run", "temperatures")
    assert (answer.code, answer.out) == (2, "")
    assert "lovt data prepare mimic-cxr" in answer.err
    assert not (place.path / "sweeps").exists()
