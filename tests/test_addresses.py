"""Channel addresses: allowed kinds, mail without percent-encoding, nothing secret shown."""

from __future__ import annotations

import apprise
import pytest
from apprise.manager_plugins import NotificationManager
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.addresses import (
    SCHEMES,
    Security,
    kind_of,
    mail_url,
    redact,
    reply_address,
    secrets_in,
    validate_url,
)

WEBHOOK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
ON_THIS_MACHINE = frozenset(
    "blink1 dbus deltachat deltachats gio glib gnome kde macosx qt syslog windows".split()  # noqa: SIM905
)


def test_the_table_is_what_apprise_knows_without_what_acts_on_this_machine() -> None:
    assert set(NotificationManager().schemas()) - SCHEMES == ON_THIS_MACHINE
    assert SCHEMES - set(NotificationManager().schemas()) == frozenset()


@pytest.mark.parametrize(
    "url",
    [
        "mailto://user:pass@example.org/",
        "mailtos://user:pass@example.org:587/anna@example.org?from=a@b.org",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        "SLACK://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        WEBHOOK,
        "json://127.0.0.1:8080/hook",
        "jsons://[::1]:8080/hook",
        "ntfy://topic",
    ],
)
def test_good(url: str) -> None:
    assert validate_url(url) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("   ", "empty", id="blank"),
        pytest.param("slack://a b", "space", id="space inside"),
        pytest.param("json://a\r\nb", "line break", id="line break inside"),
        pytest.param("anna@example.org", "does not begin", id="a bare mail address"),
        pytest.param("://x", "does not begin", id="no scheme"),
        pytest.param("https://example.org/hook", '"jsons://"', id="a web address"),
        pytest.param("http://example.org/hook", '"json://"', id="a plain web address"),
        pytest.param("dbus://", "not a kind", id="acts on this machine"),
        pytest.param("syslog://local0", "not a kind", id="syslog"),
        pytest.param("file:///etc/passwd", "not a kind", id="a file"),
        pytest.param("exec://rm", "not a kind", id="a program"),
        pytest.param("slcak://a/b/c", "not a kind", id="misspelt"),
        pytest.param("slack://", "nothing follows", id="nothing behind"),
        pytest.param("json://h:port/x", "port", id="port not a number"),
        pytest.param("json://h:99999/x", "port", id="port too high"),
    ],
)
def test_bad(url: str, problem: str) -> None:
    found = validate_url(url)
    assert found is not None
    assert problem in found


def test_a_problem_never_repeats_the_address() -> None:
    for url in ("https://x.org/S3CRET", "foo://S3CRET", "json://S3CRET:x/", "S3CRET@example.org"):
        assert "S3CRET" not in str(validate_url(url))


# --- mail

SECURITY = {Security.STARTTLS: "starttls", Security.TLS: "ssl", Security.NONE: "insecure"}
words = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x2FF, exclude_categories=("Cc", "Zs")),
    min_size=1,
    max_size=12,
)


def mail(**changes: object) -> str:
    values = {"server": "smtp.example.org", "to": "anna@example.org", "from_": "mon@corp.org"}
    return mail_url(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("security", Security)
@pytest.mark.parametrize(
    "login",
    [
        {},
        {"user": "me", "password": "plain"},
        {"user": "me@corp.org", "password": "p@ss/w:rd?&#% +"},
    ],
    ids=["no log-in", "plain", "awkward"],
)
def test_apprise_reads_what_was_meant(login: dict[str, str], security: Security) -> None:
    url = mail(
        port=2525,
        to="anna+x@example.org",
        from_="News Desk <mon@corp.org>",
        security=security,
        **login,
    )
    plugin = apprise.Apprise.instantiate(url, suppress_exceptions=False)

    assert validate_url(url) is None
    assert (plugin.smtp_host, plugin.port) == ("smtp.example.org", 2525)
    assert (plugin.user, plugin.password) == (login.get("user"), login.get("password"))
    assert plugin.from_addr == ("News Desk", "mon@corp.org")
    assert plugin.targets == [(False, "anna+x@example.org")]
    assert plugin.secure_mode == SECURITY[security]


@given(user=words, password=words)
def test_any_password_survives(user: str, password: str) -> None:
    plugin = apprise.Apprise.instantiate(mail(user=user, password=password))
    assert (plugin.user, plugin.password) == (user, password)


@pytest.mark.parametrize("domain", ["gmail.com", "outlook.com", "yahoo.com"])
def test_a_known_mail_domain_does_not_change_the_server(domain: str) -> None:
    url = mail(server="relay.corp.org", user=f"me@{domain}", password="x", from_=f"me@{domain}")
    plugin = apprise.Apprise.instantiate(url)
    assert (plugin.smtp_host, plugin.user) == ("relay.corp.org", f"me@{domain}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (mail(), "mon@corp.org"),
        (mail(from_="News Desk <mon@corp.org>"), "mon@corp.org"),
        ("mailtos://me:pw@example.org", "me@example.org"),
        ("mailtos://me:pw@example.org/?reply=desk@example.org&from=a@b.org", "desk@example.org"),
        ("mailto://127.0.0.1:25/anna@example.org", ""),
        ("mailtos://me:pw@example.org/?from=News", ""),
        ("json://me:pw@example.org/", ""),
        ("mailto://[broken", ""),
        (WEBHOOK, ""),
    ],
)
def test_where_answers_arrive(url: str, expected: str) -> None:
    assert reply_address(url) == expected


# --- what may be shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (mail(user="me", password="S3CRET"), "mailtos://smtp.example.org/…"),
        ("slack://S3CRET/A/B", "slack://…"),
        (WEBHOOK.replace("T1JJ3T3L2", "S3CRET"), "slack://…"),
        ("json://u:S3CRET@host.org/S3CRET?k=S3CRET", "json://host.org/…"),
        ("tgram://S3CRET/1", "tgram://…"),
        ("json://[S3CRET", "json:///…"),
        ("nonsense", "?://…"),
    ],
)
def test_redacted(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_secrets_are_known_as_written_and_as_meant() -> None:
    found = secrets_in(mail(user="me@corp.org", password="p@ss/word"))
    assert {"p%40ss%2Fword", "p@ss/word", "me@corp.org"} <= set(found)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (WEBHOOK, "slack"),
        (mail(), "mailtos"),
        ("JSON://x", "json"),
        ("x", ""),
        ("terminal", "terminal"),
    ],
)
def test_kind(url: str, kind: str) -> None:
    assert kind_of(url) == kind
