"""Tax numbers as their countries give them out, with correct check digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from stdnum.at import uid as at_uid
from stdnum.au import abn
from stdnum.bg import vat as bg_vat
from stdnum.ch import uid as ch_uid
from stdnum.es import cif
from stdnum.gr import vat as gr_vat
from stdnum.ie import vat as ie_vat
from stdnum.iso7064 import mod_11_10
from stdnum.jp import cn
from stdnum.luhn import calc_check_digit as luhn

_EIN_PREFIXES = ("12", "20", "26", "33", "45", "47", "56", "61", "75", "81")


def tax_number(country: str, rng: Random) -> str:
    """A valid tax number of the country, as people write it; nothing where there is none."""
    make = _MAKERS.get(country)
    return make(rng) if make else ""


def with_wrong_check_digit(number: str) -> str:
    """The number with its last digit changed, so that the check fails."""
    at = max(place for place, character in enumerate(number) if character.isdigit())
    return number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]


def _digits(rng: Random, count: int) -> str:
    """So many digits, the first of them not 0."""
    return str(rng.randrange(10 ** (count - 1), 10**count))


def _weighted(number: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))


def _mod_11(rng: Random, count: int, weights: tuple[int, ...], *, sign: int = 1) -> str:
    """Digits and the check digit that the weights give modulo 11; one of eleven has none and is not given out."""
    while True:
        number = _digits(rng, count)
        check = sign * _weighted(number, weights) % 11
        if check < 10:
            return f"{number}{check}"


def _gb(rng: Random) -> str:
    number = _digits(rng, 7)
    return f"GB{number}{97 - _weighted(number, range(8, 1, -1)) % 97:02d}"


def _de(rng: Random) -> str:
    number = _digits(rng, 8)
    return f"DE{number}{mod_11_10.calc_check_digit(number)}"


def _fr(rng: Random) -> str:
    siren = _digits(rng, 8)
    siren += luhn(siren)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _ch(rng: Random) -> str:
    while True:
        number = _digits(rng, 8)
        check = ch_uid.calc_check_digit(number)
        if len(check) == 1:
            return f"CHE{number}{check}"


def _no(rng: Random) -> str:
    while True:
        number = "9" + _digits(rng, 7)
        check = -_weighted(number, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"NO{number}{check}MVA"


def _se(rng: Random) -> str:
    number = "55" + _digits(rng, 7)
    return f"SE{number}{luhn(number)}01"


def _it(rng: Random) -> str:
    number = f"{_digits(rng, 7)}{rng.randrange(1, 96):03d}"
    return f"IT{number}{luhn(number)}"


def _be(rng: Random) -> str:
    number = "04" + _digits(rng, 6)
    return f"BE{number}{97 - int(number) % 97:02d}"


def _ie(rng: Random) -> str:
    number = _digits(rng, 7)
    return f"IE{number}{ie_vat.calc_check_digit(number)}"


def _at(rng: Random) -> str:
    number = _digits(rng, 7)
    return f"ATU{number}{at_uid.calc_check_digit('U' + number)}"


def _gr(rng: Random) -> str:
    number = _digits(rng, 8)
    return f"EL{number}{gr_vat.calc_check_digit(number)}"


def _bg(rng: Random) -> str:
    number = _digits(rng, 8)
    return f"BG{number}{bg_vat.calc_check_digit_legal(number)}"


def _es(rng: Random) -> str:
    number = "B" + _digits(rng, 7)
    return f"ES{number}{cif.calc_check_digits(number)[0]}"


def _jp(rng: Random) -> str:
    number = _digits(rng, 12)
    return f"{cn.calc_check_digit(number)}{number}"


def _au(rng: Random) -> str:
    number = _digits(rng, 9)
    return f"{abn.calc_check_digits(number)}{number}"


_MAKERS: dict[str, Callable[[Random], str]] = {
    "US": lambda rng: f"{rng.choice(_EIN_PREFIXES)}-{_digits(rng, 7)}",
    "GB": _gb, "DE": _de, "FR": _fr, "CH": _ch, "NO": _no, "SE": _se, "IT": _it, "BE": _be, "IE": _ie, "AT": _at,
    "GR": _gr, "BG": _bg, "ES": _es, "JP": _jp, "AU": _au,
    "DK": lambda rng: "DK" + _mod_11(rng, 7, (2, 7, 6, 5, 4, 3, 2), sign=-1),
    "NL": lambda rng: "NL" + _mod_11(rng, 8, (9, 8, 7, 6, 5, 4, 3, 2)) + "B01",
    "PL": lambda rng: "PL" + _mod_11(rng, 9, (6, 5, 7, 2, 3, 4, 5, 6, 7)),
}  # fmt: skip
