"""The package as it is installed: names, types, the script, the documents."""

import ast
import inspect
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request

import deephedge
import pytest
from conftest import command
from deephedge import _native

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent.parent
STUB = ast.parse(pathlib.Path(_native.__file__).with_name("_native.pyi").read_text())


def documented(of):
    """The functions and classes of a part of the stub by name."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in of.body if isinstance(node, kinds) and not node.name.startswith("__")}


def parameters(node):
    return [one.arg for one in [*node.args.args, *node.args.kwonlyargs] if one.arg not in ("self", "cls")]


def test_everything_has_a_type_and_a_document():
    """The stub has the names of the compiled module, with the same parameters; everything public says what it is."""
    types = documented(STUB)
    public = {name for name in dir(_native) if not name.startswith("_")}
    assert public == set(types) - {"Progress"}
    assert set(deephedge.__all__) == public - {"run_command"} | {"__version__"}
    for name in public:
        thing = getattr(_native, name)
        assert inspect.getdoc(thing) and ast.get_docstring(types[name]), name
        if isinstance(types[name], ast.FunctionDef):
            assert parameters(types[name]) == list(inspect.signature(thing).parameters), name
            continue
        members = documented(types[name])
        own = {one for one in vars(thing) if not one.startswith("_")}
        assert own == {one for one in members if not one.startswith("_")}, name
        for member in own:
            assert inspect.getdoc(getattr(thing, member)) and ast.get_docstring(members[member]), f"{name}.{member}"
            if callable(getattr(thing, member)):
                own_parameters = [one for one in inspect.signature(getattr(thing, member)).parameters if one != "self"]
                assert parameters(members[member]) == own_parameters, f"{name}.{member}"
    assert pathlib.Path(_native.__file__).with_name("py.typed").exists()


def test_the_script_is_the_program(tmp_path):
    """The wheel brings the command line, with its output and its exit codes."""
    script = pathlib.Path(sysconfig.get_path("scripts")) / "deephedge"
    version = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.split() == ["deephedge", deephedge.__version__]
    assert command("--help").stdout.startswith("Deep hedging")
    refused = command("train", "nowhere.toml")
    assert refused.returncode == 2 and refused.stderr.startswith("deephedge: nowhere.toml")
    assert command("runs", "show", "--runs", tmp_path, "latest").returncode == 2
    assert command("runs", "list", "--runs", tmp_path).returncode == 0


def test_importing_needs_no_numpy():
    """`import deephedge` loads the compiled module and nothing else that takes time."""
    said = subprocess.run(
        [sys.executable, "-c", "import deephedge, sys; print('numpy' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (CHECKOUT / page).read_text(), re.DOTALL | re.MULTILINE)


def test_the_tutorial_runs(tmp_path, monkeypatch):
    """The blocks of docs/python.md run one after another, as a reader types them, and their own assertions hold."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "market_data").symlink_to(CHECKOUT / "market_data")
    names = {}
    found = blocks("docs/python.md")
    assert len(found) > 5
    for block in found:
        exec(compile(block, "docs/python.md", "exec"), names)


@pytest.mark.parametrize("example", sorted((CHECKOUT / "python" / "examples").glob("*.py")), ids=lambda path: path.name)
def test_an_example_runs(example, tmp_path):
    environment = dict(os.environ, MPLBACKEND="Agg")
    done = subprocess.run([sys.executable, example], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr


def test_the_dashboard_carries_jobs_out(run, tmp_path):
    """`serve` starts the package's own command line for its jobs, which leaves runs; Ctrl-C ends it."""
    whole = [sys.executable, "-m", "deephedge", "serve", "--bind", "127.0.0.1:0", "--json", "--runs", tmp_path]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = json.loads(server.stdout.readline())["url"]
            job = json.dumps({"command": "train", "strategy": run.strategy}).encode()
            request = urllib.request.Request(f"{url}api/v1/jobs", job, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                queued = json.load(answer)["run"]
            with urllib.request.urlopen(f"{url}api/v1/runs/{queued}/events") as events:
                assert any(b'"state":"complete"' in line for line in events)
            trained = deephedge.Run(queued, runs=tmp_path)
            assert trained.metrics["evaluation"][0]["strategy"] == "kfac"
        finally:
            server.send_signal(signal.SIGINT)
    assert server.returncode == 0
