"""A study of ours is what optuna-dashboard expects, as it is."""

import json

import optuna_dashboard
import pytest

from lovt_core.sweeps.asking import LocalAsker
from lovt_core.sweeps.storage import close_storage, open_storage
from lovt_core.sweeps.study import open_study
from tests.core.sweeps.conftest import SPACE
from tests.core.sweeps.test_study import make_folder


def ask(application, path):
    """The answer to a GET, without a server."""
    answer = {}
    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    body = b"".join(application(environment, lambda status, headers, *_: answer.update(status=status)))
    assert answer["status"].startswith("200"), body
    return json.loads(body)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_lists_the_study_and_its_trials(place):
    folder = make_folder(place)
    study = open_study(folder, folder.read())
    asker = LocalAsker(folder.read(), study)
    for value in (3.0, 1.0):
        trial = asker.ask()
        trial.report(value, 1)
        study.tell(trial, value)
    storage = open_storage(folder.origin()["storage"])
    application = optuna_dashboard.wsgi(storage)
    (listed,) = ask(application, "/api/studies")["study_summaries"]
    assert (listed["study_name"], listed["directions"]) == ("small", ["minimize"])
    told = ask(application, f"/api/studies/{listed['study_id']}")
    assert [trial["values"] for trial in told["trials"]] == [[3.0], [1.0]]
    assert study.metric_names == ["val/loss"]
    assert {param["name"] for param in told["trials"][0]["params"]} == set(SPACE)
    close_storage(storage)
