"""``.local/``: its files, its lock, and one clear line where something is broken."""

import os
import stat
from pathlib import Path

import pytest

from local import network
from local.home import Home, Trouble, read_json, write_json


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "local")
    made.make()
    return made


def test_json_is_replaced_whole_and_private(home: Home) -> None:
    write_json(home.run_file, {"pid": 1})
    write_json(home.run_file, {"pid": 2})
    assert read_json(home.run_file) == {"pid": 2}
    assert stat.S_IMODE(home.run_file.stat().st_mode) == 0o600
    assert [path.name for path in home.directory.glob(".*")] == []


def test_no_file_is_none(home: Home) -> None:
    assert read_json(home.run_file) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_broken_file_is_named(home: Home, text: str) -> None:
    home.settings_file.write_text(text, "latin-1")
    with pytest.raises(Trouble, match=r"settings\.json"):
        read_json(home.settings_file)


def test_broken_state_is_found_before_anything_starts(home: Home) -> None:
    (home.aws_state / "sqs.json").write_text('{"payload": {}}')
    home.check_state()
    (home.aws_state / "dynamodb.json").write_text('{"payload": {"tab')
    with pytest.raises(Trouble, match=r"dynamodb\.json"):
        home.check_state()


def test_only_one_at_a_time(home: Home) -> None:
    write_json(home.run_file, {"url": "http://127.0.0.1:8000", "pid": 77})
    first = home.lock()
    with pytest.raises(Trouble, match=r"already running.*8000.*77"):
        home.lock()
    os.close(first)
    os.close(home.lock())


def test_the_key_is_made_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKBONE_API_KEY", raising=False)
    key = home.api_key()
    assert len(key) >= 32
    assert home.api_key() == key
    assert stat.S_IMODE(home.key_file.stat().st_mode) == 0o600


def test_a_given_key_is_used_and_not_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBONE_API_KEY", "a-key-of-the-environment")
    assert home.api_key() == "a-key-of-the-environment"
    assert not home.key_file.exists()
    monkeypatch.setenv("BACKBONE_API_KEY", "a key with spaces")
    with pytest.raises(Trouble, match="200"):
        home.api_key()


@pytest.mark.parametrize("text", ["0", "65534", "-1", "http", "80.5", "٨٠"])
def test_a_port_that_is_none(text: str) -> None:
    with pytest.raises(Trouble, match="PORT"):
        network.api_port({"PORT": text})


def test_ports() -> None:
    assert network.api_port({}) == 8000
    assert network.api_port({"PORT": "9000"}) == 9000
    port = network.free_port()
    listener = network.listen(port)
    with listener, pytest.raises(Trouble, match=f"Port {port} is in use"):
        network.listen(port)
    assert network.free_port(port) == port


def test_nothing_leads_to_a_real_account(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("BACKBONE_API_KEY", "a-key-of-the-environment")
    made = network.application_environment(home, "http://127.0.0.1:1", "http://127.0.0.1:2")
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "BACKBONE_API_KEY"} & set(made)
    assert made["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert "127.0.0.1" in made["NO_PROXY"]
