"""Example entries for roles that nobody fills yet: two role-like people who take weekly turns, ready to be edited."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

_TURNS: Final = (("a", "甲", "A"), ("b", "乙", "B"))
_FIRST_NUMBER: Final = 13800004001
_LAST_NUMBER: Final = 13800009999
_HEAD: Final = """\
# Examples for every role that the shipped plans name and no other roster here staffs. Written by
# `fenghuo roster scaffold`; copy what you need into your own roster and put your people in.
# People are roles, numbers lie in a range kept for examples, mail goes to example.org.
organisation: {organisation}
timezone: Asia/Shanghai
"""


def examples_for(wanted: Mapping[str, AbstractSet[str]], *, organisation: str) -> str:
    """A roster, as text, with an entry for each role once; `wanted` has roles by plan. The same roles, the same text.

    Raises ValueError when there are more people than example numbers.
    """
    plans_of: dict[str, list[str]] = {}
    for plan in sorted(wanted):
        for role in wanted[plan]:
            plans_of.setdefault(role, []).append(plan)
    roles = sorted(plans_of)
    if _FIRST_NUMBER + len(roles) * len(_TURNS) > _LAST_NUMBER:
        raise ValueError("there are more roles than example numbers")
    people, rotations, entries = [], [], []
    number = _FIRST_NUMBER
    for role in roles:
        english = role.replace("-", " ").replace("_", " ")
        for suffix, zh, en in _TURNS:
            other = next(one for one, _, _ in _TURNS if one != suffix)
            people.append(
                f"  - id: {_person(role, suffix)}\n"
                f"    name: {{zh: 值班{zh}（{role}）, en: Duty officer {en} ({english})}}\n"
                f"    deputy: {_person(role, other)}\n"
                f"    contacts:\n"
                f'      - {{channel: sms, to: "{number}"}}\n'
                f"      - {{channel: email, to: {_person(role, suffix)}@example.org}}\n"
                f'      - {{channel: voice, to: "{number}"}}\n'
            )
            number += 1
        turns = ", ".join(_person(role, suffix) for suffix, _, _ in _TURNS)
        rotations.append(
            f"  - id: {role[:56]}-weekly\n    every: week\n    start: 2026-01-05\n"
            f'    handover: "09:00"\n    people: [{turns}]\n'
        )
        entries.append(
            f"  - id: {role}  # {', '.join(plans_of[role])}\n"
            f"    name: {{zh: 值班岗（{role}）, en: {english.capitalize()}}}\n"
            f"    duty: [{{rotation: {role[:56]}-weekly}}]\n"
        )
    return (
        _HEAD.format(organisation=organisation)
        + "\npeople:\n"
        + "".join(people)
        + "\nrotations:\n"
        + "".join(rotations)
        + "\nroles:\n"
        + "".join(entries)
    )


def _person(role: str, suffix: str) -> str:
    return f"{role[:58]}-{suffix}"
