"""config.toml → Config, and every problem with its line."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.alerts.addresses import Security
from monitor.confidential import secrets_of
from monitor.config import load, read
from monitor.configfile import read_duration
from monitor.errors import ConfigError
from monitor.model import Severity
from monitor.settings import Config, FirstPoll, Rate, Target, Transport, Updates

FEED = """
[[feeds]]
name = "NATO"
url = "https://nato.example.org/rss"
tags = ["official"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def config_of(tmp_path: Path, text: str, **environment: str) -> Config:
    return load(written(tmp_path, text), environment)


def problems_of(tmp_path: Path, text: str, **environment: str) -> list[str]:
    """The problems as printed, without the folder they are in."""
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text), environment)
    return [str(each).replace(f"{tmp_path}/", "") for each in caught.value.problems]


# --- what may be written


def test_an_empty_file_has_defaults(tmp_path: Path) -> None:
    config = config_of(tmp_path, "")
    assert config.database == str(tmp_path / "data/monitor.db")
    assert config.rules == str(tmp_path / "rules")
    assert config.poll.interval == timedelta(minutes=15)
    assert config.poll.first_poll is FirstPoll.NO_ALERTS
    assert config.poll.transport is Transport.OWN
    assert config.default_channels is None
    assert not config.allow_empty


def test_a_folder_of_templates_that_is_named_must_be_there(tmp_path: Path) -> None:
    path = written(tmp_path, FEED + '[monitor]\ntemplates = "layouts"\n')
    config, (warning,) = read(path, {})
    assert config.templates == str(tmp_path / "layouts")
    assert 'there is no folder "layouts"' in str(warning)
    (tmp_path / "layouts").mkdir()
    assert read(path, {})[1] == ()
    assert read(written(tmp_path, FEED), {})[1] == ()


@pytest.mark.parametrize(
    ("written_as", "kept"),
    [
        pytest.param("", timedelta(days=400), id="unless they say otherwise"),
        pytest.param('[monitor]\nkeep_text = "90d"\n', timedelta(days=90), id="days"),
        pytest.param('[monitor]\nkeep_text = "forever"\n', None, id="for ever"),
    ],
)
def test_how_long_texts_are_kept(tmp_path: Path, written_as: str, kept: timedelta | None) -> None:
    assert config_of(tmp_path, written_as + FEED).keep_text == kept


def test_the_atom_file_is_beside_the_configuration(tmp_path: Path) -> None:
    config, warnings = read(written(tmp_path, FEED + '[outputs]\natom = "alerts.xml"\n'), {})
    assert (config.atom, warnings) == (str(tmp_path / "alerts.xml"), ())
    assert config_of(tmp_path, FEED).atom == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("www/alerts.xml", "there is no folder", id="no folder"),
        pytest.param("rules.xml", "cannot be written", id="a folder in its place"),
    ],
)
def test_an_atom_file_that_cannot_be_written_is_a_warning(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "rules.xml").mkdir()
    _, (warning,) = read(written(tmp_path, FEED + f'[outputs]\natom = "{name}"\n'), {})
    assert said in str(warning)
    assert f"config.toml:{warning.line}" in str(warning)


def test_without_a_channel_alerts_go_to_the_terminal(tmp_path: Path) -> None:
    (channel,) = config_of(tmp_path, FEED).channels
    assert (channel.name, channel.kind) == ("terminal", "terminal")
    assert channel.targets == (Target(name="terminal", url="terminal://"),)


def test_everything_at_once(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        """
        [monitor]
        database = "/var/lib/monitor/m.db"
        rules = "my rules"
        timezone = "Europe/Warsaw"
        contact = "https://example.org/us"
        allow_empty = true
        monitor_reports_to = ["ops"]
        default_channels = []
        [poll]
        interval = "1h"
        first_poll = "alert"
        per_host_gap = "0s"
        concurrency = 4
        allow_private = ["127.0.0.0/8", "::1/128"]
        transport = "httpx"
        [[feeds]]
        name = "NATO"
        url = " https://nato.example.org/rss "
        tags = ["official", "nato"]
        interval = "5m"
        min_interval = "1m"
        max_interval = "6h"
        [[feeds]]
        name = "Off"
        url = "http://off.example.org/"
        enabled = false
        reason = "later"
        [[channels]]
        name = "ops"
        url = "json://localhost:8080/hook"
        [[routes]]
        severity = ["high", "critical"]
        rules = ["fms"]
        rule_tags = ["arms"]
        feed_tags = ["nato"]
        channels = ["ops"]
        continue = true
        """,
    )
    assert config.database == "/var/lib/monitor/m.db"
    assert config.rules == str(tmp_path / "my rules")
    assert config.timezone.key == "Europe/Warsaw"
    assert (config.monitor_reports_to, config.default_channels) == (("ops",), ())
    assert config.poll.allow_private == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert config.poll.transport is Transport.HTTPX
    nato, off = config.feeds
    assert (nato.url, nato.interval) == ("https://nato.example.org/rss", timedelta(minutes=5))
    assert (nato.min_interval, nato.max_interval) == (timedelta(minutes=1), timedelta(hours=6))
    assert nato.tags == {"official", "nato"}
    assert nato.source == f"{tmp_path}/config.toml:17"
    assert (off.enabled, off.reason) == (False, "later")
    (route,) = config.routes
    assert route.severity == {Severity.HIGH, Severity.CRITICAL}
    assert route.continue_
    (channel,) = config.channels
    assert channel.kind == "json"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0s", timedelta(0)),
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(days=1)),
        (" 7 d ", timedelta(days=7)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert read_duration(text) == length


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "1.5h", "15min", "1h30m", 15, None])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="number and a unit"):
        read_duration(text)


# --- channels and secrets


def test_a_variable_is_filled_in(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "hook"\nurl = "jsons://example.org/${KEY}"\n'
    (channel,) = config_of(tmp_path, FEED + text, KEY="s3cret").channels
    assert channel.targets == (Target(name="hook", url="jsons://example.org/s3cret"),)


@pytest.mark.parametrize("environment", [{}, {"SLACK_WEBHOOK": ""}], ids=["unset", "empty"])
def test_an_unset_variable_is_named_with_the_remedy(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    text = '[[channels]]\nname = "desk-slack"\nurl = "${SLACK_WEBHOOK}"\n'
    assert problems_of(tmp_path, text, **environment) == [
        'config.toml:3: channel "desk-slack": SLACK_WEBHOOK is not set; export it or use url_file'
    ]


def test_an_address_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "slack").write_text("https://hooks.slack.com/services/T0/B0/XyZ\n")
    (tmp_path / "slack").chmod(0o600)
    text = '[[channels]]\nname = "desk-slack"\nurl_file = "slack"\n'
    config, warnings = read(written(tmp_path, FEED + text), {})
    assert config.channels[0].kind == "slack"
    assert warnings == ()


def test_a_secret_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "slack").write_text("jsons://example.org/hook")
    (tmp_path / "slack").chmod(0o644)
    text = '[[channels]]\nname = "desk"\nurl_file = "slack"\n'
    _, (warning,) = read(written(tmp_path, FEED + text), {})
    assert warning.warning
    assert "everybody on this machine can read" in str(warning)
    assert "chmod o-r" in warning.remedy


def test_a_secret_in_a_readable_configuration_is_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, FEED + '[[channels]]\nname = "d"\nurl = "jsons://example.org/k"\n')
    assert read(path, {})[1] == ()
    path.chmod(0o644)
    (warning,) = read(path, {})[1]
    assert 'channel "d" has a secret in it' in str(warning)


def test_when_a_channel_is_told(tmp_path: Path) -> None:
    text = """
[[channels]]
name = "morning"
url = "json://example.org/1"
timezone = "America/New_York"
digest = ["07:30", "mon-fri 17:00"]
quiet_hours = "22:00-07:00"
at_once = ["high", "critical"]
rate = "6/m"
burst = 3
fallback = "other"
updates = "digest"

[[channels]]
name = "other"
url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
digest = "07:30"
"""
    morning, other = config_of(tmp_path, text).channels
    assert str(morning.timezone) == "America/New_York"
    assert morning.digest is not None
    assert len(morning.digest.slots) == 2
    assert not morning.empty_digest  # more than one a day
    assert len(morning.quiet_hours) == 1
    assert morning.at_once == {Severity.HIGH, Severity.CRITICAL}
    assert morning.rate == Rate(a_second=0.1, burst=3)
    assert (morning.fallback, morning.updates) == ("other", Updates.DIGEST)
    assert other.empty_digest
    assert other.rate == Rate(a_second=1.0, burst=10)


MAIL = """
[[channels]]
name = "mail"
[channels.mail]
server = "smtp.example.org"
{more}
from = "monitor@example.org"
to = ["anna@example.org", "ben@example.org", "anna@example.org"]
"""


def test_mail_has_a_target_for_each_recipient(tmp_path: Path) -> None:
    more = 'port = 587\nuser = "me@example.org"\npassword = "${PW}"'
    (channel,) = config_of(tmp_path, FEED + MAIL.format(more=more), PW="p@ss/w:rd").channels
    assert [target.name for target in channel.targets] == [
        "mail/anna@example.org",
        "mail/ben@example.org",
    ]
    assert channel.kind == "mailtos"
    assert "p%40ss%2Fw%3Ard" in channel.targets[0].url


@pytest.mark.parametrize(
    ("more", "scheme", "mode"),
    [
        ("port = 587", "mailtos", "starttls"),
        ("port = 465", "mailtos", "ssl"),
        ("", "mailtos", "starttls"),
        (f'port = 25\nsecurity = "{Security.NONE.value}"', "mailto", "insecure"),
    ],
)
def test_the_port_chooses_how_mail_is_protected(
    tmp_path: Path, more: str, scheme: str, mode: str
) -> None:
    (channel,) = config_of(tmp_path, FEED + MAIL.format(more=more)).channels
    assert channel.kind == scheme
    assert f"mode={mode}" in channel.targets[0].url


def test_a_password_without_quotation_marks_is_text(tmp_path: Path) -> None:
    config = config_of(tmp_path, FEED + MAIL.format(more='user = "me"\npassword = 12345678'))
    assert ":12345678@" in config.channels[0].targets[0].url


def test_a_mail_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2-long\n")
    (tmp_path / "pw").chmod(0o600)
    more = 'user = "me"\npassword_file = "pw"'
    config = config_of(tmp_path, FEED + MAIL.format(more=more))
    assert "hunter2-long" in config.channels[0].targets[0].url
    assert "hunter2-long" in secrets_of(config)


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ('name = "c"', "needs exactly one of url, url_file, mail and webhook"),
        ('name = "c"\nurl = "json://h"\nurl_file = "f"', "needs exactly one of"),
        ('name = "c"\nurl_file = "absent"', "cannot read absent: No such file or directory"),
        ('name = "a/b"\nurl = "json://h"', 'cannot contain "/"'),
        ('name = "c"\nurl = "gopher://h"', '"gopher://" is not a kind of channel'),
        ('name = "c"\nurl = "https://example.org/hook"', "a plain web address"),
        ('name = "c"\nurl = "https://example.org/hook"', "[channels.webhook]"),
        ('name = "c"\nurl = "slack-bot://xoxb-12345678/desk"', "C0123ABCD"),
        ('name = "c"\nurl = "syslog://"', '"syslog://" is not a kind of channel'),
    ],
)
def test_what_is_wrong_with_a_channel(tmp_path: Path, channel: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, f"[[channels]]\n{channel}\n")
    assert said in problem


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('user = "me"', "a user, but no password"),
        ('user = "me"\npassword = "x"\npassword_file = "y"', "has both password and password_file"),
        ("port = 70000", "70000"),
        ('security = "ssl"', '"starttls", "tls", "none"'),
    ],
)
def test_what_is_wrong_with_mail(tmp_path: Path, more: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, MAIL.format(more=more))
    assert said in problem


# --- webhook

WEBHOOK = """[[channels]]
name = "soc"
[channels.webhook]
url = "https://example.org/hooks/k3y-0123456789"
"""
SECRET = "canary-0123456789"


def test_a_signed_webhook(tmp_path: Path) -> None:
    config = config_of(tmp_path, FEED + WEBHOOK + 'secret = "${SOC}"\n', SOC=SECRET)
    (channel,) = config.channels
    assert (channel.kind, channel.secret) == ("webhook", SECRET)
    assert channel.targets == (Target(name="soc", url="https://example.org/hooks/k3y-0123456789"),)
    assert {SECRET, "k3y-0123456789"} <= set(secrets_of(config))
    assert "example.org" not in secrets_of(config)
    assert SECRET not in repr(config)


def test_a_webhook_with_its_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "soc").write_text(f"{SECRET}\n")
    (tmp_path / "soc").chmod(0o600)
    config = config_of(tmp_path, FEED + WEBHOOK + 'secret_file = "soc"\n')
    assert config.channels[0].secret == SECRET


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "needs exactly one of secret and secret_file"),
        ('secret = "x"\nsecret_file = "y"', "needs exactly one of secret and secret_file"),
        ('secret = "canary"', "fewer than 16 characters; make one with: openssl rand -hex 32"),
        ('secret = "${SOC}"', "SOC is not set; export it or use secret_file"),
        ('secret_file = "absent"', "cannot read absent: No such file"),
        (f'secret = "{SECRET}"\nsecert = "x"', "secert"),
    ],
)
def test_what_is_wrong_with_a_webhook(tmp_path: Path, more: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, WEBHOOK + more)
    assert said in problem
    assert "canary" not in problem


def test_a_webhook_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    text = WEBHOOK.replace("https", "http") + f'secret = "{SECRET}"\n'
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith("config.toml:4: ")
    assert "write https://" in problem


def test_the_secret_of_a_webhook_in_a_readable_configuration_is_a_warning(tmp_path: Path) -> None:
    path = written(tmp_path, FEED + WEBHOOK + f'secret = "{SECRET}"\n')
    path.chmod(0o644)
    (warning,) = read(path, {})[1]
    assert "has a secret in it" in warning.what


def test_a_webhook_whose_secret_cannot_be_read_has_no_targets(tmp_path: Path) -> None:
    path = written(tmp_path, FEED + WEBHOOK + 'secret = "${SOC}"\n')
    (channel,) = load(path, {}, need_secrets=False).channels
    assert (channel.kind, channel.targets) == ("webhook", ())


@pytest.mark.parametrize("address", ["anna", "a b@example.org", "a@x\\r\\nBcc: all@example.org"])
def test_what_is_no_mail_address(tmp_path: Path, address: str) -> None:
    text = MAIL.format(more="").replace("ben@example.org", address)
    (problem,) = problems_of(tmp_path, text)
    assert "is no e-mail address" in problem


def test_who_only_looks_needs_no_secrets(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "desk"\nurl = "${SLACK_WEBHOOK}"\n'
    config = load(written(tmp_path, FEED + text), {}, need_secrets=False)
    (channel,) = config.channels
    assert (channel.name, channel.targets) == ("desk", ())


def test_no_secret_is_in_a_problem_or_in_repr(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "c"\nurl = "${A}"\n[[channels]]\nname = "d"\nurl = "${B}"\n'
    (problem,) = problems_of(tmp_path, text, A="gopher://canary-1", B="jsons://h/canary-2")
    assert "canary" not in problem
    config = config_of(tmp_path, text, A="jsons://h/canary-1", B="jsons://h/canary-2")
    assert "canary" not in repr(config)
    assert {"canary-1", "canary-2"} <= set(secrets_of(config))


# --- what is wrong


FEED_X = '[[feeds]]\nname = "x"\nurl = "https://h/"\n'


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[monitor]\nopps = 1", 2, "opps"),
        ("[montior]", 1, "montior"),
        ('[monitor]\ntimezone = "Europe/Brusels"', 2, "time zone"),
        ('[monitor]\ntimezone = "../etc/passwd"', 2, "time zone"),
        ('[monitor]\ncontact = "x\\r\\nHost: y"', 2, "contact"),
        ('[outputs]\natom = "config.toml"', 2, "ends in .xml or .atom"),
        ('[poll]\ninterval = "15"', 2, "number and a unit"),
        ("[poll]\ninterval = 15", 2, "number and a unit"),
        ("[poll]\nconcurrency = 0", 2, "concurrency"),
        ('[poll]\nconcurrency = "8"', 2, "concurrency"),
        ('[poll]\nfirst_poll = "baseline"', 2, '"no-alerts", "alert"'),
        ('[poll]\nallow_private = ["10.0.0.1/8"]', 2, "network"),
        ('[poll]\ntransport = "curl"', 2, '"own", "httpx"'),
        ('[poll]\ninterval = "1m"', 2, "between min_interval and max_interval"),
        ('[[feeds]]\nname = "x"', 1, "url"),
        ('[feeds]\nname = "x"\nurl = "https://h/"', 1, "write [[feeds]]"),
        ('[[feeds]]\nname = "x"\nurl = "ftp://h/"', 3, "http:// or https://"),
        ('[[feeds]]\nname = "x"\nurl = "https:///p"', 3, "names no host"),
        ('[[feeds]]\nname = "x"\nurl = "https://h:x/"', 3, "is not a web address"),
        ('[[feeds]]\nname = "x"\nurl = "https://h/a b"', 3, "a space in it"),
        ('[[feeds]]\nname = "x"\nurl = "https://h/"\ninterval = "1m"', 4, "min_interval"),
        ('[[feeds]]\nname = "x"\nurl = "https://h/"\ncontents = "auto"', 4, "contents"),
        ('[monitor]\ndatabase = "."', 2, "is a folder"),
        ('[poll]\nmax_interval = "7d"', 2, '"24h" or less'),
        ('[poll]\nper_host_gap = "6m"', 2, '"5m" or less'),
        ('[poll]\nmin_interval = "0s"', 2, '"1s" or more'),
        (FEED_X + 'interval = "25h"', 4, "longer than max_interval"),
        (FEED_X + 'max_interval = "2d"', 4, '"24h" or less'),
        (FEED_X + 'min_interval = "0m"', 4, '"1s" or more'),
        (FEED_X + 'max_interval = "1m"', 4, "shorter than min_interval"),
        (FEED_X + 'min_interval = "1h"\nmax_interval = "30m"', 5, "shorter than min_interval"),
        (FEED_X + 'interval = "5m"\nmin_interval = "10m"', 4, "shorter than min_interval"),
        ('[[routes]]\nseverity = ["urgent"]\nchannels = []', 2, '"critical"'),
        ('[[routes]]\nchannels = ["opps"]', 2, 'no channel "opps"'),
        ('[[routes]]\nfeed_tags = ["x"]\nchannels = []', 2, 'no feed has the tag "x"'),
        ('[monitor]\ndefault_channels = ["opps"]', 2, 'no channel "opps"'),
        ('[monitor]\nmonitor_reports_to = ["opps"]', 2, 'no channel "opps"'),
        ('[monitor]\nkeep_text = "2 years"', 2, '"400d", or "forever"'),
        ("[monitor]\nkeep_text = 400", 2, '"400d", or "forever"'),
        ('[monitor]\nkeep_text = "7d"', 2, 'write "30d" or more'),
        ('[monitor]\nkeep_text = "999999d"', 2, 'write "forever"'),
        ('[[channels]]\nname = "x"\nurl = "json://h"\ndigest = "7h30"', 4, "mon-fri 07:30"),
        ('[[channels]]\nname = "x"\nurl = "json://h"\ndigest = 730', 4, '"07:30"'),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nquiet_hours = "night"', 4, "22:00-07:00"),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nat_once = "high"', 4, "write a list"),
        (
            '[[channels]]\nname = "x"\nurl = "json://h"\nat_once = ["hihg"]',
            4,
            'mean "high"?',
        ),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nrate = "fast"', 4, '"1/s"'),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nrate = "0/s"', 4, '"1/s"'),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nburst = 0', 4, "burst"),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nfallback = "y"', 4, 'no channel "y"'),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nfallback = "x"', 4, "itself"),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nupdates = "digest"', 4, "has no digest"),
        ('[[channels]]\nname = "x"\nurl = "json://h"\nempty_digest = true', 4, "no effect"),
    ],
)
def test_a_problem_names_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith(f"config.toml:{line}:")
    assert said in problem


@pytest.mark.parametrize(
    ("key", "second"),
    [
        ("name", 'name = "nato"\nurl = "https://other.example.org/"'),
        ("url", 'name = "Other"\nurl = "https://nato.example.org/rss"'),
    ],
)
def test_a_feed_twice(tmp_path: Path, key: str, second: str) -> None:
    (problem,) = problems_of(tmp_path, f"{FEED}[[feeds]]\n{second}\n")
    assert f"{key} " in problem
    assert "already" in problem


def test_a_channel_twice(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "x"\nurl = "json://h"\n' * 2
    (problem,) = problems_of(tmp_path, text)
    assert problem == 'config.toml:5: name "x" is in line 2 already'


def test_an_unknown_name_says_what_is_near(tmp_path: Path) -> None:
    text = '[[channels]]\nname = "ops"\nurl = "json://h"\n[[routes]]\nchannels = ["opps"]\n'
    assert problems_of(tmp_path, text) == ['config.toml:5: no channel "opps"; did you mean "ops"?']


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        """[monitor]
default_channels = ["nobody"]
[[feeds]]
name = "x"
url = "gopher://h/"
[[channels]]
name = "y"
url = "${UNSET}"
""",
    )
    assert [problem.split(":")[1] for problem in found] == ["2", "5", "8"]


def test_a_private_address_is_a_warning_unless_it_is_allowed(tmp_path: Path) -> None:
    feed = '[[feeds]]\nname = "x"\nurl = "http://127.0.0.1:8000/"\n'
    (warning,) = read(written(tmp_path, feed), {})[1]
    assert "allow_private" in warning.remedy
    allowed = '[poll]\nallow_private = ["127.0.0.0/8"]\n'
    assert read(written(tmp_path, allowed + feed), {})[1] == ()


def test_no_feed_is_a_warning(tmp_path: Path) -> None:
    (warning,) = read(written(tmp_path, ""), {})[1]
    assert "no feed is watched" in str(warning)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xff\xfe[monitor]", id="not UTF-8"),
        pytest.param(b"[monitor\n", id="syntax"),
        pytest.param(b"a = " + b"[" * 5000, id="recursion bomb"),
        pytest.param(b"a = " + b"9" * 5000, id="5000 digits"),
        pytest.param(b"[monitor]\ntimezone = \xe2\x80\x9cUTC\xe2\x80\x9d\n", id="curly quotes"),
    ],
)
def test_what_is_no_toml_is_a_problem_like_any_other(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value.problems[0]).startswith(f"{tmp_path}/config.toml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[monitor]\nrules = 'r'\n")
    assert load(path, {}).rules.endswith("/r")


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.toml"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(path) in str(caught.value)


def test_a_file_below_the_current_folder_is_named_shortly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^config\.toml:2:"):
        load(written(tmp_path, "[monitor]\nopps = 1\n"), {})


@pytest.mark.parametrize("chosen", ["auto", "off", "https://news.example/news-sitemap.xml"])
def test_where_older_entries_are_looked_for(tmp_path: Path, chosen: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[[feeds]]\nname = "A"\nurl = "https://a.example/"\nbackfill = "{chosen}"\n')
    assert load(path, {}).feeds[0].backfill == chosen


def test_a_wrong_place_for_older_entries(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[feeds]]\nname = "A"\nurl = "https://a.example/"\nbackfill = "on"\n')
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    said = str(refused.value)
    assert 'feed "A": backfill is neither "auto" nor "off" nor a web address' in said
    assert "news sitemap" in said


@pytest.mark.parametrize(
    ("channel", "warned"),
    [
        pytest.param('at_once = ["high"]', True, id="nothing to pass"),
        pytest.param('at_once = ["high"]\nquiet_hours = "22:00-07:00"', True, id="quiet hours"),
        pytest.param('at_once = ["critical"]\nquiet_hours = "22:00-07:00"', False, id="critical"),
        pytest.param('at_once = ["high"]\ndigest = "07:30"', False, id="a digest"),
    ],
)
def test_severities_that_have_nothing_to_pass_are_worth_a_look(
    tmp_path: Path, channel: str, warned: bool
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'{FEED}[[channels]]\nname = "a"\nurl = "json://localhost/"\n{channel}\n')
    path.chmod(0o600)
    _, warnings = read(path)
    assert ["at_once has no effect" in str(each) for each in warnings] == [True] * warned
