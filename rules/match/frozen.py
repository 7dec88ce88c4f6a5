"""A fitted model at work on any records: what it says of two records depends on those two and the model alone.

`learn` fits one to many records and freezes what was counted among them, as hashes; `Frozen` weighs pairs
and makes keys with it, a million at a time or two. That is why records that come one by one, in any order,
are judged as they would be all at once.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canonical.entity import EntityType
from rules.document import Fitted
from rules.match.candidates import LOOSE, Atoms, atoms, refined, single, twos
from rules.match.columns import Column, Hashes, Rows, Table, column, hashed, mixed
from rules.match.fit import Weights, parts, total
from rules.match.plan import SEARCHED, Plan, plan
from rules.match.profile import Profile
from rules.match.run import Result, match
from rules.match.scorer import RARE_LIMIT, SEVERAL, Scorer, rarity
from rules.match.spec import Spec
from rules.ruleset import RuleSet

Values = Mapping[str, Any]
Numbers = NDArray[np.float32]
KEPT = 2000  # common values of a comparison, and over-full keys or shared values of a field, that a model remembers
KINDS = {  # a canonical type's format -> what its column holds; names by their field
    "name": "organisation", "hostname": "domain", "email": "email", "phone": "phone", "date": "date",
    "code": "identifier",
}  # fmt: skip
PERSONS = {"given_name": "given_name", "family_name": "family_name", "full_name": "person"}
ADDRESS = {"line1": "street", "city": "city", "postcode": "postcode", "country": "region"}


def columns_of(entity: EntityType, records: Sequence[Values]) -> dict[str, str]:
    """The columns that tell who is who, with what each holds: the entity's fields that are marked for matching."""
    found: dict[str, str] = {}
    for name, one in entity.fields.items():
        if not one.marks.match:
            continue
        form = next((s["format"] for s in (one.schema, *one.schema.get("anyOf", ())) if "format" in s), "")
        parts = {part for group in one.schema.get("$defs", {}).values() for part in group["properties"]}
        if name in PERSONS:
            found[name] = PERSONS[name]
        elif form in KINDS:
            found[name] = KINDS[form]
        elif parts >= ADDRESS.keys():
            found |= {f"{name}.{part}": kind for part, kind in ADDRESS.items()}
        elif "number" in parts:
            found[f"{name}.number"] = "identifier"
        else:
            types = {e["type"] for r in records for e in r.get(name) or () if isinstance(e, Mapping) and "type" in e}
            found |= {f"{name}[{kind}]": "identifier" for kind in sorted(types)}
    return found


def texts_of(entity: EntityType, paths: Iterable[str], records: Sequence[Values]) -> dict[str, list[str]]:
    """What each record says at each path: `legal_name`, `tax_id.number`, `identifiers[lei]`; of doubt, nothing."""
    trusted: dict[str, list[Any]] = {}
    found = {}
    for path in paths:
        name, _, kind = path.rstrip("]").partition("[")
        name, _, part = name.partition(".")
        if name not in trusted:  # the parts of an address are doubted together
            doubtful, said = entity.fields[name].doubtful, [values.get(name) for values in records]
            trusted[name] = [None if value is None or doubtful(value) else value for value in said]
        found[path] = _texts(trusted[name], part, kind)
    return found


def _texts(said: Sequence[Any], part: str, kind: str) -> list[str]:
    """The texts of one part, or of the entries of one kind, of what records say of a field."""
    found = []
    for value in said:
        if value is None:
            found.append("")
        elif kind:
            found.append(next((str(e.get("value", "")) for e in value if e.get("type") == kind), ""))
        else:
            found.append(str(value.get(part) or "") if part else str(value))
    return found


def learn(texts: Mapping[str, tuple[str, Sequence[str]]], every: int, limit: int, seed: int = 1) -> Fitted:
    """A model for columns of texts (path -> kind, texts). `every` records there are, of which these may be a part.

    A key is over-full when more than `limit` of all records share it.
    """
    filled = {path: (kind, said) for path, (kind, said) in texts.items() if any(said)}
    columns = {path: column(path, said) for path, (_, said) in filled.items()}
    kinds = {path: kind for path, (kind, _) in filled.items()}
    size = len(next(iter(columns.values())).codes) if columns else 0
    table = Table([str(k) for k in range(size)], columns)
    result = match(table, Spec(columns=kinds, kind="dedupe", alone=True, seed=seed))
    weights = result.weights
    return Fitted(
        seed=seed,
        records=size,
        columns=kinds,
        prior=round(weights.prior, 3),
        levels={name: tuple(round(float(x), 3) for x in one) for name, one in weights.levels.items()},
        sparing=every > SEARCHED,
        seen=_seen(result, max(limit * size / max(every, 1), 2)),
    )


def _seen(result: Result, full: float) -> dict[str, dict[str, str]]:
    """What was counted, packed: section -> name -> base64."""
    made = result.plan
    found: dict[str, dict[str, str]] = {name: {} for name in ("full", "generic", "common", "worth", "usual")}
    for feature, part in made.strong:
        one = atoms(f"{feature}|{part}", made.features[feature], part)
        hashes, counts = np.unique(one.hashes, return_counts=True)
        found["full"][one.name] = _packed(np.sort(_most(hashes, counts, counts > full)))
    for feature, shared in result.scorer.generic.items():
        texts, counts = made.features[feature].texts, made.features[feature].counts()
        found["generic"][feature] = _packed(np.sort(_most(hashed(texts), counts, shared)))
    for comparison in made.compare:
        worth = result.weights.values.get(comparison.name)
        if worth is not None:
            _worth(found, comparison.name, made.features[comparison.features[0]], worth)
    return {section: {name: said for name, said in held.items() if said} for section, held in found.items()}


def _worth(found: dict[str, dict[str, str]], name: str, values: Column, worth: Numbers) -> None:
    """The common values with what agreement on each adds, and what agreement on any other adds."""
    counts = values.counts()
    hashes = hashed(values.texts)
    common = np.isin(hashes, _most(hashes, counts, counts >= SEVERAL))
    others = ~common & (counts > 1)
    pairs = (counts * (counts - 1))[others]
    usual = float((worth[others] * pairs).sum() / pairs.sum()) if pairs.sum() else RARE_LIMIT / 2
    order = np.argsort(hashes[common])
    found["common"][name] = _packed(hashes[common][order])
    found["worth"][name] = _packed(worth[common][order].astype(np.float16))
    found["usual"][name] = _packed(np.array([usual], np.float16))


def _most(hashes: Hashes, counts: NDArray[np.int64], wanted: NDArray[np.bool_]) -> Hashes:
    """The wanted hashes of the greatest counts, at most `KEPT`; ties by hash, so that they fall the same way."""
    chosen = np.flatnonzero(wanted)
    return hashes[chosen[np.lexsort((hashes[chosen], -counts[chosen]))][:KEPT]]


def _packed(numbers: NDArray[Any]) -> str:
    little = numbers.astype(numbers.dtype.newbyteorder("<"))
    return b64encode(little.tobytes()).decode()


class Frozen:
    """The model compiled for one entity."""

    def __init__(self, entity: EntityType, fitted: Fitted) -> None:
        """Unpack what the model remembers."""
        self.entity, self.fitted = entity, fitted
        self._profiles = {path: Profile(path, kind, 1, 1, 1, 1, "", "") for path, kind in fitted.columns.items()}
        self._salt = hashed([entity.name])[0]

    def keys(self, records: Sequence[Values]) -> list[tuple[int, ...]]:
        """Each record's keys, sorted. The lowest bit of a key tells that it is loose: it needs a second one."""
        made, n = self._plan(records), len(records)
        strong = [atoms(f"{f}|{p}", made.features[f], p) for f, p in made.strong]
        weak = [atoms(f"{f}|{p}", made.features[f], p) for f, p in made.weak]
        refiners = [(single(one, n), one.name) for one in weak]
        hashes: list[Hashes] = []
        rows: list[Rows] = []
        for one in (*(k for atom in strong for k in self._refined(atom, refiners)), *twos(weak, n)):
            loose = np.uint64(self.fitted.sparing and LOOSE.search(one.name) is not None)
            with np.errstate(over="ignore"):
                salted = mixed(one.hashes + _named(one.name) * np.uint64(2) + self._salt)
            hashes.append((salted >> np.uint64(2)) << np.uint64(1) | loose)
            rows.append(one.rows)
        found: list[set[int]] = [set() for _ in records]
        if hashes:
            for row, key in zip(np.concatenate(rows).tolist(), np.concatenate(hashes).tolist(), strict=True):
                found[row].add(key)
        return [tuple(sorted(one)) for one in found]

    def weigh(self, records: Sequence[Values], i: Rows, j: Rows) -> tuple[Numbers, dict[str, tuple[Numbers, Numbers]]]:
        """The log-odds of each pair of records, and by comparison its likeness (0 to 1, -1 silent) and its weight."""
        made = self._plan(records)
        generic = {f: np.isin(hashed(made.features[f].texts), held) for f, held in self._generic.items() if len(held)}
        silent = {f: np.zeros(len(c.texts), bool) for f, c in made.features.items()}
        scorer = Scorer(made, {}, silent | generic, weights=self._weights(made))
        seen = scorer.levels(i, j)
        extra = rarity(made, seen, scorer.fitted, i)
        odds = total(scorer.fitted, seen, made.families, extra)
        weights = parts(scorer.fitted, seen, extra)
        like = {
            n: (one / np.float32(max(len(self.fitted.levels[n]) - 1, 1))).astype(np.float32) for n, one in seen.items()
        }
        return odds, {n: (np.where(seen[n] < 0, np.float32(-1), like[n]), weights[n]) for n in seen}

    def _refined(self, atom: Atoms, refiners: Sequence[tuple[Hashes, str]]) -> list[Atoms]:
        """The keys of one name, those that too many share each combined with the other things that a record says."""
        known = self._full.get(atom.name)
        full = None if known is None else np.isin(atom.hashes, known)
        if full is None or not full.any():
            return [atom]
        found = [Atoms(atom.name, atom.hashes[~full], atom.rows[~full])]
        hashes, rows = atom.hashes[full], atom.rows[full]
        for second, name in refiners:
            spoken = second[rows] != 0
            both = refined(hashes[spoken], second[rows[spoken]])
            found.append(Atoms(f"{atom.name} & {name}", both, rows[spoken]))
        return found

    def _plan(self, records: Sequence[Values]) -> Plan:
        """The records as columns; texts in order, so that no comparison depends on who else is there."""
        texts = texts_of(self.entity, self.fitted.columns, records)
        columns = {path: column(path, said) for path, said in texts.items()}
        made = plan(Table([""] * len(records), columns), self._profiles, alone=True)
        made.features = {name: _ordered(one) for name, one in made.features.items()}
        return made

    def _weights(self, made: Plan) -> Weights:
        values = {
            c.name: self._worth(c.name, made.features[c.features[0]]) for c in made.compare if c.name in self._usual
        }
        return Weights(self._levels, self.fitted.prior, values=values)

    def _worth(self, name: str, column: Column) -> Numbers:
        """What agreement on each of the column's values is worth beyond agreement as such."""
        found = np.full(len(column.texts), self._usual[name][0], np.float32)
        common = self._common.get(name)
        if common is not None and len(found):
            hashes = hashed(column.texts)
            at = np.minimum(np.searchsorted(common, hashes), len(common) - 1)
            known = common[at] == hashes
            found[known] = self._worths[name][at[known]]
        return found

    @cached_property
    def _levels(self) -> dict[str, Numbers]:
        return {name: np.array(one, np.float32) for name, one in self.fitted.levels.items()}

    def _held(self, section: str, form: str) -> dict[str, NDArray[Any]]:
        held = self.fitted.seen.get(section, {})
        return {name: np.frombuffer(b64decode(said), form) for name, said in held.items()}

    @cached_property
    def _full(self) -> dict[str, Hashes]:
        return self._held("full", "<u8")

    @cached_property
    def _generic(self) -> dict[str, Hashes]:
        return self._held("generic", "<u8")

    @cached_property
    def _common(self) -> dict[str, Hashes]:
        return self._held("common", "<u8")

    @cached_property
    def _worths(self) -> dict[str, Numbers]:
        return self._held("worth", "<f2")

    @cached_property
    def _usual(self) -> dict[str, Numbers]:
        return self._held("usual", "<f2")


@lru_cache(maxsize=4096)
def _named(name: str) -> np.uint64:
    found: np.uint64 = hashed([name])[0]
    return found


@lru_cache(maxsize=32)
def frozen(ruleset: RuleSet) -> Frozen | None:
    """The rule set's model, compiled once, if it has one."""
    fitted = ruleset.document.matching.fitted
    return None if fitted is None else Frozen(ruleset.entity, fitted)


def _ordered(one: Column) -> Column:
    """The column with its texts in alphabetical order."""
    order = sorted(range(len(one.texts)), key=one.texts.__getitem__)
    place = np.zeros(len(order) + 1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    place[-1] = -1  # the code of rows that are silent
    return Column(one.name, [one.texts[k] for k in order], place[one.codes])
