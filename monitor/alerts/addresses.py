"""Channel addresses: which are allowed, how a mail address is built, what may be shown.  Pure.

The schemes are a table of our own, so that ``check`` needs no apprise; a test holds it against the
installed apprise.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from monitor.alerts import slackbot

# Every service of apprise 2.2 that reaches people over the network.  Left out are those that act on
# this very machine (desktop notifications, syslog, a lamp on USB) or start a program (deltachat).
_NETWORK_SERVICES = """
    46elks amqp amqps apprise apprises aprs atalk azure bark barks betterstack bluesky brevo
    bsky bulksms bulkvs burstsms chanify clickatell clicksend cliq cm d7sms dapnet dingtalk
    discord dot eight00com elks emby embys enigma2 enigma2s evolution evolutions exotel fcm
    feishu firehydrant flock flowtriq flowtriqs fluxer fluxers form forms freemobile gchat
    github goalert goalerts gorush gorushs gotify gotifys groundmail groupme growl guilded
    gupshup hassio hassios httpsms humhub humhubs ifttt ilert incidentio infobip irc ircs
    jellyfin jellyfins jira join json jsons kakao kakaotalk kaleyra kavenegar klr kodi kodis
    kook kudosity kumulos lametric lametrics lark lauther lfg line mailersend mailgun mailto
    mailtos mastodon mastodons matrix matrixs misskey misskeys mmost mmosts mobilemessage
    mobilemsg mqtt mqtts msg91 msgbird ncloud nclouds nctalk nctalks nexmo nostr notica
    noticas notifiarr notifico notificos notifyre ntfy ntfys o365 octopush onebot onebots
    onesignal opsgenie pagerduty pagertree parsep parseps pbul pinglet pinglets pingram pjet
    pjets plivo postmark pover prowl psafer psafers push pushdeer pushdeers pushed pushme
    pushplus pushward pushy qq reddit resend revolt ringc rocket rockets rsyslog ryver schan
    sendgrid sendpulse serwersms ses session sessions seven sfr signal signalgrid signals
    signl4 simplepush sinch slack smpp smpps smsc smseagle smseagles smsmanager smsmgr
    smstunnel smtp2go sns sogs sparkpost spike splunk spugpush spush squadcast stackfield
    strmlabs synology synologys telesign telnyx tgram threema toot toots trigv trigvs tweet
    twilio twist twitter vapid viber victorops voipms vonage webex wechat wecom wecombot whapi
    whatsapp workflow workflows wpush wxpusher wxteams x xbmc xbmcs xmatters xml xmls xmpp
    xmpps youlmk zalo zcliq zohocliq zoom zulip
"""
SCHEMES = frozenset(_NETWORK_SERVICES.split())
TERMINAL = "terminal"

_SLACK = re.compile(r"https://hooks\.slack(?:-gov)?\.com/services/([^/?#]+)/([^/?#]+)/([^/?#]+)")
_SECRETS_SHOWN_AS = "…"


class Security(StrEnum):
    """How the connection to a mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte; port 465
    NONE = "none"  # a server on this machine or in this room


_MODES = {Security.STARTTLS: "starttls", Security.TLS: "ssl", Security.NONE: "insecure"}


def kind_of(url: str) -> str:
    """The scheme of *url*, or TERMINAL; "slack" for an address as Slack shows it."""
    if _SLACK.match(url):
        return "slack"
    scheme, mark, _ = url.strip().partition("://")
    return scheme.lower() if mark or scheme.lower() == TERMINAL else ""


def validate_url(url: str) -> str | None:
    """What is wrong with the channel address *url*, without repeating it; None: nothing."""
    if not url.strip():
        return "the address is empty"
    if any(ord(char) < 0x20 or char.isspace() for char in url):
        return "the address has a space or line break in it"
    scheme, mark, rest = url.partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return 'the address does not begin with a kind such as "mailtos://" or "slack://"'
    if _SLACK.match(url):
        return None
    if scheme.lower() in ("http", "https"):
        return (
            f'a plain web address; for a webhook write "{_webhook(scheme)}://" in its place, or'
            " [channels.webhook] with url and secret_file for a signed one"
        )
    if scheme.lower() == slackbot.KIND:
        return slackbot.wrong_with(url)
    if scheme.lower() not in SCHEMES:
        return f'"{scheme.lower()}://" is not a kind of channel this program sends to'
    if not rest.strip("/"):
        return f'nothing follows "{scheme.lower()}://"'
    try:
        urlsplit(url).port  # noqa: B018  # raises
    except ValueError:
        return "the server or port in the address cannot be read"
    return None


def _webhook(scheme: str) -> str:
    return "jsons" if scheme.lower() == "https" else "json"


def mail_url(
    *,
    server: str,
    to: str,
    from_: str,
    port: int | None = None,
    user: str = "",
    password: str = "",
    security: Security = Security.STARTTLS,
) -> str:
    """The apprise address that mails to *to* alone; the parts are written as people know them."""
    scheme = "mailto" if security is Security.NONE else "mailtos"
    login = f"{_quoted(user)}:{_quoted(password)}@" if user else ""
    host = f"[{server}]" if ":" in server else server
    place = f"{host}:{port}" if port else host
    # ``smtp`` says where to connect: without it apprise looks up templates by the mail domain.
    query = urlencode({"smtp": server, "from": from_, "mode": _MODES[security]}, quote_via=quote)
    return f"{scheme}://{login}{place}/{_quoted(to)}?{query}"


def reply_address(url: str) -> str:
    """The sender's address of a mail channel, where answers arrive; "" when it is not known."""
    if kind_of(url) not in ("mailto", "mailtos"):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    query = {key.lower(): value for key, value in parse_qsl(parts.query)}
    user = unquote(parts.username or "")
    at_host = f"{user}@{parts.hostname}" if user and parts.hostname else ""
    written = query.get("reply") or query.get("from") or (user if "@" in user else at_host)
    found = re.search(r"[^\s<>@,;]+@[^\s<>@,;]+", written)
    return found.group() if found else ""


def redact(url: str) -> str:
    """*url* as it may be shown: the scheme, and the host where it is no secret."""
    kind = kind_of(url)
    if kind in ("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"):
        try:
            host = urlsplit(url).hostname
        except ValueError:
            host = None
        return f"{kind}://{host or ''}/{_SECRETS_SHOWN_AS}"
    return f"{kind or '?'}://{_SECRETS_SHOWN_AS}"  # in others the host is often a token


def secrets_in(url: str) -> tuple[str, ...]:
    """Everything in *url* that must not be shown, as written and unescaped, the longest first."""
    rest = url.partition("://")[2]
    pieces = {piece for piece in re.split(r"[/?&=:@#,]", rest) if len(piece) >= 4}
    pieces |= {unquote(piece) for piece in pieces}
    return tuple(sorted(pieces, key=len, reverse=True))


def _quoted(text: str) -> str:
    return quote(text, safe="")
