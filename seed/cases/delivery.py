"""What arrives when: late, twice, out of order, re-keyed, merged, deleted, or as an echo."""

from __future__ import annotations

from seed.cases.scene import Scene
from seed.systems import crm

_BEFORE, _AFTER = "2026-09-01T10:00:00.000+0000", "2026-09-02T10:00:00.000+0000"
LATE = "accounts_late"  # a second file of the CRM, delivered after the first


def late_update(s: Scene) -> None:
    """The newer version arrives first; the older one comes in a later file and must not win."""
    c = s.company()
    key = s.crm(c, Industry="Newer", SystemModstamp=_AFTER)
    s.crm_version(c, LATE, Industry="Older", SystemModstamp=_BEFORE)
    s.expect("value", [key], field="industry", value="Newer")


def out_of_order_in_one_file(s: Scene) -> None:
    """Newer and older version stand in one file, the older one last."""
    c = s.company()
    key = s.crm(c, Industry="Newer", SystemModstamp=_AFTER)
    s.crm_version(c, Industry="Older", SystemModstamp=_BEFORE)
    s.expect("value", [key], field="industry", value="Newer")


def update_in_order(s: Scene) -> None:
    """A plain update in a later file: the new value stands and the old version is history."""
    c = s.company()
    key = s.crm(c, Industry="Before", SystemModstamp=_BEFORE)
    s.crm_version(c, LATE, Industry="After", SystemModstamp=_AFTER)
    s.expect("value", [key], field="industry", value="After")


def duplicate_delivery(s: Scene) -> None:
    """The same event three times, in one file and in a later one."""
    c = s.company()
    key = s.crm_twin(c, ("accounts", "accounts", LATE, LATE), SystemModstamp=_BEFORE)
    s.expect("versions", [key], count=1)


def same_key_twice_in_export(s: Scene) -> None:
    """The ledger's list has one customer number on two rows with different terms and no date: the later row stands, and it is said aloud."""
    c = s.company()
    key = s.erp(c, ZAHLZIEL="NET14", GEAENDERT="")
    s.erp_row(c, FIRMA=c.legal_name.upper(), ZAHLZIEL="NET30", GEAENDERT="")
    s.expect("value", [key], field="payment_terms", value="NET30")
    s.expect("finding", [key], code="HUB-3204")


def source_side_merge(s: Scene) -> None:
    """The CRM merged two accounts: one id is gone and names its successor."""
    c = s.company()
    kept = s.crm(c)
    gone = s.crm(s.again(c), thing=c, IsDeleted=True, MasterRecordId=kept.split(":")[2])
    s.expect("replaced", [gone, kept], by=kept)


def source_side_merge_later(s: Scene) -> None:
    """Both accounts were there and linked to billing; a later file says that they were merged."""
    c = s.company()
    kept, other = s.crm(c), s.again(c)
    gone = s.crm(other, thing=c, SystemModstamp=_BEFORE)
    billed = s.billing(c)
    s.crm_version(
        other, LATE, Id=crm.key_of(other.id), IsDeleted=True, MasterRecordId=kept.split(":")[2], SystemModstamp=_AFTER
    )
    s.expect("replaced", [gone, kept], by=kept)
    s.expect("one", [kept, billed])


def source_rekeyed(s: Scene) -> None:
    """Billing moved the customer to a new id: the old one is deleted and names the new one."""
    c = s.company()
    new = s.billing(s.again(c), thing=c)
    old = s.billing(c, deleted=True, metadata={"customer_number": None, "replaced_by": new.split(":")[2]},
                    tax_ids={"object": "list", "data": []})  # fmt: skip
    s.expect("replaced", [old, new], by=new)
    s.expect("one", [new, s.erp(c)])


def support_merge(s: Scene) -> None:
    """The support desk merged two organisations."""
    c = s.company()
    kept = s.support(c)
    gone = s.support(s.again(c), thing=c, merged_into=int(kept.split(":")[2]))
    s.expect("replaced", [gone, kept], by=kept)


def tombstone(s: Scene) -> None:
    """Deleted in the CRM, still there in billing: the customer lives on without the CRM's word."""
    c = s.company()
    billed, gone = s.billing(c), s.crm(c, IsDeleted=True, Industry="Gone")
    s.expect("tombstone", [gone])
    s.expect("value", [billed], field="industry", value=None)


def last_source_deleted(s: Scene) -> None:
    """The only record of a customer is deleted in a later file: nothing is left to agree on."""
    c = s.company()
    key = s.crm(c, SystemModstamp=_BEFORE)
    s.crm_version(c, LATE, IsDeleted=True, SystemModstamp=_AFTER)
    s.expect("tombstone", [key])


def update_after_delete(s: Scene) -> None:
    """The deletion has come; an older update comes after it and must not raise the dead."""
    c = s.company()
    key = s.crm(c, IsDeleted=True, SystemModstamp=_AFTER)
    s.crm_version(c, LATE, IsDeleted=False, SystemModstamp=_BEFORE)
    s.expect("tombstone", [key])


def undelete(s: Scene) -> None:
    """Deleted by mistake and restored: the later version is alive again."""
    c = s.company()
    key = s.crm(c, IsDeleted=True, SystemModstamp=_BEFORE)
    s.crm_version(c, LATE, Industry="Restored", IsDeleted=False, SystemModstamp=_AFTER)
    s.expect("value", [key], field="industry", value="Restored")


def stale_recency(s: Scene) -> None:
    """A technical touch makes billing's old record look new; the ledger's terms still stand."""
    c = s.company("BE")
    s.expect("value", [s.erp(c, GEAENDERT="01.01.2024", ZAHLZIEL="NET60"), s.billing(c, updated=1_790_000_000)],
             field="payment_terms", value="NET60")  # fmt: skip


def tie_same_asserted_at(s: Scene) -> None:
    """Two systems say different things in the same second; the owner's word stands, in any order of arrival."""
    c = s.company()
    a = s.crm(c, SystemModstamp="2026-07-01T00:00:00.000+0000", AccountNumber=c.number, Name=f"{c.name.latin} GmbH")
    b = s.support(c, updated_at="2026-07-01T00:00:00Z", external_id=c.number, name=f"{c.name.latin} Gmbh.")
    s.expect("value", [a, b], field="legal_name", value=f"{c.name.latin} GmbH")


def echo(s: Scene) -> None:
    """The ledger sends back what the hub published from the CRM, word for word and later: no second witness."""
    c = s.company("IT")
    told = s.crm(c, AccountNumber=c.number, SystemModstamp=_BEFORE)
    back = s.erp(
        c,
        FIRMA=c.legal_name,
        STRASSE=c.address.street,
        PLZ=c.address.postcode,
        ORT=c.address.city.name,
        GEAENDERT="30.09.2026",
    )
    s.expect("one", [told, back])
    s.expect("echo", [back], of=told)


def parent_after_child(s: Scene) -> None:
    """The daughter stands in the file before the company that owns her."""
    daughter, mother = s.company(), s.company()
    child = s.crm(daughter, ParentId=crm.key_of(mother.id))
    parent = s.crm(mother)
    s.expect("value", [child], field="parent", value=parent)
    s.expect("apart", [child, parent])


def orphan_child(s: Scene) -> None:
    """The company that owns this one never comes: it waits, it is not lost."""
    s.expect("waits", [s.crm(s.company(), ParentId="0013XNEVERCOMES")], missing="crm:account:0013XNEVERCOMES")


CASES = (
    late_update, out_of_order_in_one_file, update_in_order, duplicate_delivery, same_key_twice_in_export, source_side_merge,
    source_side_merge_later, source_rekeyed, support_merge, tombstone, last_source_deleted, update_after_delete, undelete,
    stale_recency, tie_same_asserted_at, echo, parent_after_child, orphan_child,
)  # fmt: skip
