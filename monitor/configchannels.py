"""[[channels]] of config.toml → Channel: addresses, mail, secrets from environment and files."""

from __future__ import annotations

import re

from monitor.alerts import webhook
from monitor.alerts.addresses import TERMINAL, Security, kind_of, mail_url, validate_url
from monitor.configfile import ChannelTable, MailTable, WebhookTable
from monitor.configsecrets import SecretReader, Where
from monitor.model import Severity
from monitor.settings import Channel, Rate, Target, Updates

_RATES = {"slack": 1.0, "slack-bot": 1.0, "discord": 0.5}  # messages a second, as they ask
_USUAL_RATE = 2.0
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


class ChannelReader(SecretReader):
    """Reads channels of a configuration; what is wrong goes to *findings*."""

    def channel(self, number: int, table: ChannelTable) -> Channel:
        """Without targets if its address or secret could not be read."""
        where = ("channels", number)
        who = f'channel "{table.name}"'
        if "/" in table.name:
            self.findings.add((*where, "name"), f'{who}: a channel\'s name cannot contain "/"')
        targets = self._targets(where, who, table)
        kind = kind_of(targets[0].url) if targets else ""
        secret = ""
        if table.webhook is not None:
            kind, secret = webhook.KIND, self._webhook_secret(where, who, table.webhook) or ""
        self._warn_of_literals(where, who, table)
        self._warn_of_nothing_to_pass(where, who, table)
        return Channel(
            name=table.name,
            targets=targets if secret or table.webhook is None else (),
            kind=kind,
            secret=secret,
            updates=self._updates(where, who, table),
            timezone=table.timezone,
            digest=table.digest,
            empty_digest=self._empty_digest(where, who, table),
            quiet_hours=table.quiet_hours,
            at_once=table.at_once,
            rate=_rate(table, kind),
            fallback=table.fallback or "",
            source=self.findings.place(where),
        )

    def _updates(self, where: Where, who: str, table: ChannelTable) -> Updates:
        if table.updates is Updates.DIGEST and table.digest is None:
            self.findings.add(
                (*where, "updates"),
                f'{who}: updates = "digest", but the channel has no digest',
                'add digest = "07:30", or write "thread" or "off"',
            )
        return table.updates

    def _empty_digest(self, where: Where, who: str, table: ChannelTable) -> bool:
        """Where nothing is said, the digest of a day is sent empty too, more frequent ones not."""
        if table.digest is None:
            if table.empty_digest is not None:
                what = f"{who}: empty_digest without a digest has no effect"
                self.findings.add((*where, "empty_digest"), what, 'add digest = "07:30"')
            return False
        return table.digest.daily if table.empty_digest is None else table.empty_digest

    def _warn_of_nothing_to_pass(self, where: Where, who: str, table: ChannelTable) -> None:
        passes_quiet = table.quiet_hours and Severity.CRITICAL in table.at_once
        if table.at_once and table.digest is None and not passes_quiet:
            what = f"{who}: at_once has no effect: there is no digest that it could pass"
            remedy = 'add digest = "07:30"; of quiet hours only "critical" passes'
            self.findings.add((*where, "at_once"), what, remedy, warning=True)

    def _targets(self, where: Where, who: str, table: ChannelTable) -> tuple[Target, ...]:
        keys = ("url", "url_file", "mail", "webhook")
        given = [key for key in keys if getattr(table, key) is not None]
        if len(given) != 1:
            self.findings.add(where, f"{who}: needs exactly one of url, url_file, mail and webhook")
            return ()
        if table.webhook is not None:
            return self._webhook_target((*where, "webhook", "url"), who, table.name, table.webhook)
        if table.mail is not None:
            return self._mail_targets((*where, "mail"), who, table.name, table.mail)
        if table.url_file is not None:
            url = self.secret_file((*where, "url_file"), who, table.url_file)
        else:
            url = self.filled_in((*where, "url"), who, table.url or "", "use url_file")
        if url is None:
            return ()
        wrong = None if kind_of(url) == TERMINAL else validate_url(url)
        if wrong:
            self.findings.add((*where, given[0]), f"{who}: {wrong}")
        return (Target(name=table.name, url=url),)

    # --- mail

    def _mail_targets(
        self, where: Where, who: str, name: str, mail: MailTable
    ) -> tuple[Target, ...]:
        for key, addresses in (("from", [mail.sender]), ("to", mail.to)):
            for address in addresses:
                if not _ADDRESS.fullmatch(address):
                    self.findings.add((*where, key), f'{who}: "{address}" is no e-mail address')
        password = self._password(where, who, mail)
        if password is None:
            return ()
        usual = Security.TLS if mail.port == 465 else Security.STARTTLS
        return tuple(
            Target(
                name=f"{name}/{to}",
                url=mail_url(
                    server=mail.server,
                    port=mail.port,
                    user=mail.user,
                    password=password,
                    security=mail.security or usual,
                    from_=mail.sender,
                    to=to,
                ),
            )
            for to in dict.fromkeys(mail.to)
        )

    def _password(self, where: Where, who: str, mail: MailTable) -> str | None:
        """Empty for a server without log-in; None if something is wrong."""
        if mail.password is not None and mail.password_file is not None:
            self.findings.add(where, f"{who}: has both password and password_file", "keep one")
            return None
        if mail.password_file is not None:
            return self.secret_file((*where, "password_file"), who, mail.password_file)
        if mail.password is not None:
            where = (*where, "password")
            return self.filled_in(where, who, mail.password, "use password_file")
        if mail.user:
            self.findings.add(where, f"{who}: a user, but no password", "add password_file")
            return None
        return ""

    # --- webhook

    def _webhook_target(
        self, where: Where, who: str, name: str, table: WebhookTable
    ) -> tuple[Target, ...]:
        url = self.filled_in(where, who, table.url, "write the address itself")
        if url is None:
            return ()
        wrong = webhook.wrong_with(url)
        if wrong:
            self.findings.add(where, f"{who}: {wrong}")
        return (Target(name=name, url=url),)

    def _webhook_secret(self, where: Where, who: str, table: WebhookTable) -> str | None:
        where = (*where, "webhook")
        if (table.secret is None) == (table.secret_file is None):
            self.findings.add(where, f"{who}: needs exactly one of secret and secret_file")
            return None
        if table.secret_file is not None:
            where = (*where, "secret_file")
            secret = self.secret_file(where, who, table.secret_file)
        else:
            where = (*where, "secret")
            secret = self.filled_in(where, who, table.secret or "", "use secret_file")
        if secret is not None and len(secret) < webhook.SHORTEST_SECRET:
            what = f"{who}: the secret has fewer than {webhook.SHORTEST_SECRET} characters"
            self.findings.add(where, what, "make one with: openssl rand -hex 32")
        return secret

    def _warn_of_literals(self, where: Where, who: str, table: ChannelTable) -> None:
        """A secret written into the configuration itself is safe only if others cannot read it."""
        signs = table.webhook and table.webhook.secret
        literal = table.url or (table.mail and table.mail.password) or signs or ""
        if kind_of(literal) != TERMINAL:
            self.warn_of_literal(where, who, literal)


def _rate(table: ChannelTable, kind: str) -> Rate:
    usual = _RATES.get(kind, _USUAL_RATE)
    return Rate(a_second=usual if table.rate is None else table.rate, burst=table.burst)
