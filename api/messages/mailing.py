"""Mail by SMTP: one connection a message, encrypted unless the operator says otherwise, and every step with a time-out."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

LONGEST_ADDRESS = 254
CLOSING, TOO_LARGE = 421, 552  # RFC 5321, 4.2.3


class BadAddress(ValueError):
    """A text that no mail can be sent to."""


class NotSent(Exception):
    """A mail was not taken. `for_good`: another try is useless; `server`: the server itself is in trouble, not this mail."""

    def __init__(self, why: str, *, for_good: bool = False, server: bool = False) -> None:
        """`why` names no address and no text of the mail."""
        super().__init__(why)
        self.for_good, self.server = for_good, server


@dataclass(frozen=True)
class Letter:
    """What is sent. `id` becomes the Message-ID, so that a double can be told; `thread` ties letters about one matter together."""

    id: str
    to: str
    subject: str
    text: str
    thread: str = ""
    unsubscribe: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Mailer:
    """How to reach the mail server; `sender` is what stands in From."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    seconds: float

    @property
    def domain(self) -> str:
        """Where the letters come from, for their ids."""
        return address_of(self.sender).domain

    def send(self, letter: Letter) -> None:
        """Hand one letter to the server. Raise NotSent."""
        try:
            message = self.written(letter)
        except (BadAddress, ValueError) as error:
            raise NotSent(f"the letter cannot be written: {error}", for_good=True) from None
        with self._server() as server:
            try:
                options = [] if letter.to.isascii() else ["SMTPUTF8"]
                written = message.as_bytes(policy=SMTP.clone(utf8=bool(options)))
                server.sendmail(address_of(self.sender).addr_spec, [address_of(letter.to).addr_spec], written, mail_options=options)
            except smtplib.SMTPRecipientsRefused as refused:
                code = next(iter(refused.recipients.values()))[0]
                raise NotSent(f"the server refuses the recipient ({code})", for_good=code >= 500, server=code == CLOSING) from None  # noqa: PLR2004
            except smtplib.SMTPSenderRefused as refused:  # so would be every other mail, unless it is too large
                large = refused.smtp_code == TOO_LARGE
                raise NotSent(f"the server refuses the sender ({refused.smtp_code})", for_good=large, server=not large) from None
            except smtplib.SMTPDataError as refused:
                code = refused.smtp_code
                raise NotSent(f"the server refuses the mail ({code})", for_good=code >= 500, server=code == CLOSING) from None  # noqa: PLR2004
            except smtplib.SMTPNotSupportedError:
                raise NotSent("the server does not take addresses with letters beyond ASCII", for_good=True) from None

    def check(self) -> str:
        """Connect, encrypt and sign in as for a mail, but send none; what the server says of itself. Raise NotSent."""
        with self._server() as server:
            code, said = server.noop()
            return f"{code} {said.decode('utf-8', 'replace')[:100]}"

    def written(self, letter: Letter) -> EmailMessage:
        """The letter as a message; no header can hold a line break. Raise BadAddress, ValueError."""
        message = EmailMessage(policy=SMTP)
        sender = address_of(self.sender)
        message["From"] = sender
        message["To"] = address_of(letter.to)
        message["Subject"] = letter.subject
        message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
        if letter.thread:
            message["References"] = f"<{letter.thread}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if letter.unsubscribe:
            message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message.set_content(letter.text, cte="quoted-printable")
        message["Content-Language"] = letter.language
        return message

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        """A connection that is ready for a mail. Raise NotSent; trouble in the block that is the connection's becomes NotSent, too."""
        context = ssl.create_default_context()
        server: smtplib.SMTP | None = None
        try:
            if self.security == "tls":
                server = smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=context)
            else:
                server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            yield server
            with suppress(smtplib.SMTPException, OSError):  # the mail is taken; how the farewell goes changes nothing
                server.quit()
        except smtplib.SMTPAuthenticationError as error:
            raise NotSent(f"the server does not take the name and password ({error.smtp_code})", server=True) from None
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise NotSent(f"{type(error).__name__}: {str(error)[:120]}", server=True) from None
        finally:
            if server is not None:
                server.close()


def address_of(text: str) -> Address:
    """An address, with or without a name before it. Raise BadAddress."""
    name, _, rest = text.rpartition("<")
    plain = rest.rstrip(">").strip() if name or text.startswith("<") else text.strip()
    if len(plain) > LONGEST_ADDRESS or not plain.isprintable() or any(sign in plain for sign in ' ,;:<>()[]\\"\r\n'):
        raise BadAddress("this is no e-mail address")
    try:
        found = Address(display_name=name.strip().strip('"'), addr_spec=plain)
    except Exception:  # noqa: BLE001 - the parser raises what it likes, IndexError included
        raise BadAddress("this is no e-mail address") from None
    if not found.username or ("." not in found.domain and found.domain != "localhost"):
        raise BadAddress("this is no e-mail address")
    return found
