"""How somebody is reached: mail address, domain, phone number. Nothing is looked up on the network."""

from __future__ import annotations

import re
from typing import Annotated, Any

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from canonical.values.place import read_country
from canonical.values.placeholders import DUMMY_MAIL, SHARED_MAIL_DOMAINS, is_dummy_mail, is_dummy_number
from canonical.values.reading import as_token, assumed, doubt, is_blank, kind_of, unreadable

# Plain addresses, which are nearly all; the rest goes to email-validator, 80 times slower.
_PLAIN_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_DOMAIN = re.compile(rf"(?:{_PLAIN_LABEL}\.)+[a-z]{{2,24}}", re.ASCII)
_PLAIN_MAIL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*", re.ASCII)
_AROUND_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//|^mailto:", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:;?\s*ext(?:ension)?[.=:]?|\s+x\.?|#)\s*(\d{1,7})\s*$", re.IGNORECASE | re.ASCII)
_FEWEST_DIGITS, _MOST_DIGITS = 6, 15  # fifteen: ITU-T E.164


def read_email(raw: object, info: ValidationInfo) -> str:
    """One mail address in lower case, its domain in ASCII. `mailto:` and a display name are taken off."""
    text = as_token(raw, 400).lower()
    if "<" in text and text.endswith(">"):
        text = text[text.rindex("<") + 1 : -1]
    address = text.removeprefix("mailto:").strip(" .,;<>\"'")
    local, _, host = address.rpartition("@")
    if len(local) > 64 or "xn--" in host or not (_PLAIN_MAIL.fullmatch(local) and _PLAIN_DOMAIN.fullmatch(host)):
        local, host = _validated(address)
    if len(local) + len(host) > 253:
        raise unreadable("a mail address has at most 254 characters")
    if is_dummy_mail(local, host):
        doubt(info, "HUB-3302", "the mail address looks like a placeholder")
    return f"{local}@{host}"


def _validated(address: str) -> tuple[str, str]:
    """Local part and ASCII domain, by email-validator without asking DNS."""
    try:
        found = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError, ValueError):
        raise unreadable("expected one mail address") from None
    if not found.ascii_domain or "." not in found.ascii_domain:
        raise unreadable("expected one mail address")
    return found.local_part.lower(), found.ascii_domain.lower()


def read_domain(raw: object, info: ValidationInfo) -> str:
    """The host name in lower-case ASCII (IDNA 2008), from a host, a URL or a mail address, without `www.`.

    The domain of a mail provider is doubted: it says nothing about whose it is.
    """
    text = _AROUND_HOST.sub("", as_token(raw, 2_000))
    host = re.split(r"[/?#\\]", text, maxsplit=1)[0].rpartition("@")[2]
    host = re.sub(r":\d*$", "", host).strip(" .,;").lower().removeprefix("www.")
    if not _PLAIN_DOMAIN.fullmatch(host) or "xn--" in host or len(host) > 253:
        host = _ascii_host(host)
    if host in SHARED_MAIL_DOMAINS or (host.split(".")[0] in DUMMY_MAIL and host.count(".") == 1 and len(host) > 5):
        doubt(info, "HUB-3302", "the domain is a mail provider's or a placeholder")
    return host


def _ascii_host(host: str) -> str:
    try:
        ascii_host = idna.encode(host, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, IndexError):
        raise unreadable("expected a domain such as example.com") from None
    if "." not in ascii_host or len(ascii_host) > 253 or ascii_host.rpartition(".")[2].isdigit():
        raise unreadable("expected a domain such as example.com")
    return ascii_host.removeprefix("www.")


def read_phone(raw: Any, info: ValidationInfo) -> str:
    """The number in E.164, "+442071234567".

    Raw forms: text, a number, or {"number", "country"} where the country says how to read a national
    number. Without a country a national number stays as its digits, and the reading says so (INFO).
    """
    raw, region = _with_region(raw)
    text = as_token(raw, 80)
    if found := _EXTENSION.search(text):
        text = text[: found.start()]
        assumed(info, "the extension of the phone number is left out")
    if not region and re.match(r"00[1-9]", text):
        text = "+" + text[2:]
    digits = re.sub(r"[^0-9]", "", text)
    if is_dummy_number(digits) or is_dummy_number(digits[-10:]) or is_dummy_number(digits[-9:]):
        doubt(info, "HUB-3302", "the phone number looks like a placeholder")
    number = _international(text, region)
    if number is None and (text.startswith("+") or region):
        doubt(info, "HUB-3303", "the phone number does not fit the numbering plan of its country")
    elif number is None:
        assumed(info, "the phone number has no country; only its digits are kept")
    return number or _digits_only(digits, plus=text.startswith("+"))


def _with_region(raw: Any) -> tuple[Any, str | None]:
    if not isinstance(raw, dict):
        return raw, None
    country = raw.get("country")
    if unknown := set(raw) - {"number", "country"}:
        raise unreadable(f"expected number and country, got {len(unknown)} other parts")
    if "number" not in raw:
        raise unreadable(f"expected an object with number and country, got {kind_of(raw)}")
    return raw["number"], None if is_blank(country) else read_country(country)


def _international(text: str, region: str | None) -> str | None:
    """E.164, or None when the number cannot be placed or has a length its country does not use."""
    if not region and not text.startswith("+"):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _digits_only(digits: str, *, plus: bool) -> str:
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        raise unreadable(f"a phone number has {_FEWEST_DIGITS} to {_MOST_DIGITS} digits")
    return ("+" if plus else "") + digits


Email = Annotated[str, BeforeValidator(read_email), WithJsonSchema({"type": "string", "format": "email"})]
Domain = Annotated[str, BeforeValidator(read_domain), WithJsonSchema({"type": "string", "format": "hostname"})]
Phone = Annotated[str, BeforeValidator(read_phone), WithJsonSchema({"type": "string", "format": "phone"})]
