"""[[feeds]] of config.toml: bounds, log-ins, proxies, encodings, and problems with their lines."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from monitor.confidential import secrets_of
from monitor.config import load, read
from monitor.errors import ConfigError
from monitor.feeds.pace import Bounds
from monitor.settings import Access, ContentMode, FeedSettings, PollSettings

FEED = '[[feeds]]\nname = "Wire"\nurl = "https://wire.example/feed"\n'


def written(folder: Path, feed: str) -> Path:
    path = folder / "config.toml"
    path.write_text(FEED + feed, "utf-8")
    path.chmod(0o600)
    return path


def feed_of(folder: Path, feed: str, **environment: str) -> FeedSettings:
    (found,) = load(written(folder, feed), environment).feeds
    return found


def problem_of(folder: Path, feed: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, feed), environment)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{folder}/", "")


def secret(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)


def test_a_feed_without_keys_of_its_own_is_asked_as_all_others(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, "")
    assert (feed.access, feed.content) == (Access(), ContentMode.AUTO)
    assert Bounds.of(PollSettings(), feed) == Bounds.of(PollSettings(), None)


def test_its_own_bounds_win(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, 'interval = "30s"\nmin_interval = "10s"\nmax_interval = "1m"\n')
    bounds = Bounds.of(PollSettings(), feed)
    assert (bounds.shortest, bounds.longest) == (timedelta(seconds=10), timedelta(minutes=1))


@pytest.mark.parametrize(
    ("feed", "headers"),
    [
        pytest.param('headers = { X-Key = "${KEY}" }', {"x-key": "k3y"}, id="a header"),
        pytest.param(
            'headers = { Accept-Language = "pl" }', {"accept-language": "pl"}, id="no secret"
        ),
        pytest.param('token = "${KEY}"', {"authorization": "Bearer k3y"}, id="a token"),
        pytest.param(
            'token_file = "token"', {"authorization": "Bearer from-file"}, id="a token in a file"
        ),
        pytest.param(
            'user = "desk"\npassword_file = "token"',
            {"authorization": f"Basic {b64encode(b'desk:from-file').decode()}"},
            id="user and password",
        ),
    ],
)
def test_what_is_sent_along(tmp_path: Path, feed: str, headers: dict[str, str]) -> None:
    secret(tmp_path, "token", "from-file\n")
    assert dict(feed_of(tmp_path, feed, KEY="k3y").access.headers) == headers


def test_other_ways_of_asking(tmp_path: Path) -> None:
    secret(tmp_path, "ca.pem", trustme.CA().cert_pem.bytes().decode())
    access = feed_of(
        tmp_path,
        'proxy = "http://10.0.0.1:3128"\nallow_private = ["10.0.0.0/8"]\nencoding = "latin1"\n'
        'user_agent = "desk/1"\nca_file = "ca.pem"\ncontent = "article"\n',
    ).access
    assert access.proxy == "http://10.0.0.1:3128"
    assert access.allow_private == (ip_network("10.0.0.0/8"),)
    assert (access.encoding, access.user_agent) == ("iso8859-1", "desk/1")
    assert "BEGIN CERTIFICATE" in access.ca


@pytest.mark.parametrize(
    ("feed", "secrets"),
    [
        pytest.param('headers = { X-Key = "id ${KEY}" }', {"k3y", "id k3y"}, id="header"),
        pytest.param('headers = { Accept-Language = "pl" }', set(), id="a header without one"),
        pytest.param('token = "${KEY}"', {"k3y"}, id="token"),
        pytest.param(
            'user = "desk"\npassword = "${KEY}"',
            {"k3y", b64encode(b"desk:k3y").decode()},
            id="password, and as it is sent",
        ),
        pytest.param(
            'proxy = "http://desk:${KEY}@proxy.example:3128"',
            {"k3y", "http://desk:k3y@proxy.example:3128"},
            id="proxy",
        ),
    ],
)
def test_secrets_are_known_as_such(tmp_path: Path, feed: str, secrets: set[str]) -> None:
    config = load(written(tmp_path, feed), {"KEY": "k3y"})
    assert set(secrets_of(config)) == secrets
    assert "k3y" not in repr(config)


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        pytest.param(
            'min_interval = "2h"\nmax_interval = "1h"',
            'config.toml:5: feed "Wire": max_interval is shorter than min_interval',
            id="bounds the wrong way round",
        ),
        pytest.param(
            'interval = "1m"', "interval is shorter than min_interval", id="too fast"
        ),
        pytest.param('interval = "2h"\nmax_interval = "1h"', "interval is longer", id="slower"),
        pytest.param(
            'token = "${NONE}"',
            'config.toml:4: feed "Wire": NONE is not set; export it or use token_file',
            id="variable not set",
        ),
        pytest.param('token_file = "none"', "cannot read none: No such file", id="no such file"),
        pytest.param('token = "${LINES}"', "more than plain ASCII in one line", id="two lines"),
        pytest.param('user = "desk"', "a user, but no password; add user and", id="no password"),
        pytest.param('password = "${KEY}"', "a password, but no user; add user", id="no user"),
        pytest.param(
            'token = "${KEY}"\nuser = "desk"\npassword = "x"', "has both password and token",
            id="two log-ins",
        ),
        pytest.param(
            'headers = { Authorization = "${KEY}" }',
            "the header Authorization is set by the monitor; write user and password_file",
            id="a log-in as header",
        ),
        pytest.param('headers = { "X Key" = "1" }', "no name of a header", id="space in a name"),
        pytest.param('headers = { X-Key = "${LINES}" }', "plain ASCII in one", id="split header"),
        pytest.param('proxy = "socks5://h:1"', "a SOCKS proxy cannot be used", id="SOCKS"),
        pytest.param('proxy = "h:1"', 'write it as "http://proxy', id="proxy without scheme"),
        pytest.param('ca_file = "config.toml"', "holds no certificate; it must be", id="no PEM"),
        pytest.param('ca_file = "none.pem"', "cannot read none.pem: No such", id="no CA file"),
        pytest.param('encoding = "klingon"', "write the name of an encoding", id="encoding"),
        pytest.param('encoding = "hex"', "write the name of an encoding", id="not of text"),
        pytest.param('encoding = "punycode"', "write the name of an", id="endless to decode"),
        pytest.param('encoding = "unicode_escape"', "write the name of an", id="of programs"),
        pytest.param('encoding = "raw-unicode-escape"', "write the name of an", id="raw"),
        pytest.param('content = "all"', '"feed", "article", "auto"', id="content"),
        pytest.param('allow_private = ["10.1"]', "write a network as", id="network"),
    ],
)  # fmt: skip
def test_problems_say_what_to_write(tmp_path: Path, feed: str, said: str) -> None:
    problem = problem_of(tmp_path, feed, KEY="k3y", LINES="a\r\nb: c")
    assert said in problem
    assert "k3y" not in problem


def test_a_user_in_the_address_and_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, 'user = "desk"\npassword = "${KEY}"')
    path.write_text(path.read_text().replace("https://", "https://a:b@"))
    with pytest.raises(ConfigError, match="its address has a user in it as well; take it out"):
        load(path, {"KEY": "k3y"})


def test_a_secret_that_all_may_read_is_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path, 'token = "literal-token"')
    path.chmod(0o644)
    _, (warning,) = read(path, {})
    assert "has a secret in it, and everybody on this machine can read" in str(warning)
    assert "literal-token" not in str(warning)


def test_whoever_only_looks_needs_no_secrets(tmp_path: Path) -> None:
    (feed,) = load(written(tmp_path, 'token = "${NONE}"'), {}, need_secrets=False).feeds
    assert feed.access.headers == ()


def test_a_private_address_may_be_allowed_for_one_feed(tmp_path: Path) -> None:
    path = written(tmp_path, 'allow_private = ["10.0.0.0/8"]\n')
    path.write_text(path.read_text().replace("wire.example", "10.0.0.7"))
    assert read(path, {})[1] == ()
