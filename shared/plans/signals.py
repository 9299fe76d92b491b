"""Words in a case's text that propose facts, in Chinese and English, with negation and evidence. Pure.

The time is linear in the text for a given plan: plain searches, no regular expressions from plans. A proposal never
replaces a given fact; whoever applies it must mark it as proposed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.contracts.values import FactValue
from shared.plans.input_spec import Signal

Where = Literal["title", "narrative"]

MAX_READ: Final = 20_000
EXCERPT: Final = 24
"""So many characters before and after the word are shown."""

_NEAR_ZH: Final = 6
_NEAR_EN: Final = 4
_NEGATIONS_ZH: Final = (
    "没有",
    "没",
    "未",
    "无",
    "并非",
    "不是",
    "不会",
    "不曾",
    "不再",
    "否认",
    "谎称",
    "避免",
    "防止",
)
"""These reach over a few characters to the word: 未造成人员受伤."""
_CLOSE_ZH: Final = ("不", "非", "勿", "别", "莫")
"""These count only right before the word: 态度不好还打人 is no denial."""
_NOT_CLOSE_ZH: Final = ("特别", "分别", "级别", "个别", "是非")
_BREAKS_ZH: Final = (
    "导致",
    "致使",
    "引起",
    "引发",
    "结果",
    "反而",
    "就",
    "却",
    "又",
    "还",
    "但",
    "而",
    "后",
    "才",
    "便",
)
"""Behind one of these something else is said, unless it follows the negation at once: 未导致受伤."""
_UNSURE_ZH: Final = (
    "是否",
    "会不会",
    "如果",
    "假如",
    "要是",
    "倘若",
    "万一",
    "以免",
    "免得",
    "担心",
    "生怕",
    "唯恐",
    "差点",
    "差一点",
    "险些",
)
"""What is asked, feared, supposed or only nearly so has not happened: 担心孩子受伤, 差点受伤."""
_TWICE_ZH: Final = ("并非没有", "不是没有", "不能否认", "无法否认", "不可否认", "不得不", "不能不", "无不", "不无")
"""Denied twice, and so said."""
_REFUTED_ZH: Final = ("不属实", "不实", "不存在", "没有发生", "未发生", "系谣", "是谣", "是假", "是编造", "纯属虚构")
"""Said behind the word in its clause, these take it back: 有人受伤的说法不属实."""
_REFUTED_FAR_ZH: Final = 10
_NOBODY_ACTED: Final = tuple(
    nobody + acted
    for nobody in ("没", "未", "没有", "没人", "没有人", "无人", "未能", "没能")
    for acted in ("管", "理", "理睬", "处理", "解决", "答复", "回复", "回应", "负责", "接听", "赔偿", "道歉", "及时")
)
_HARMLESS_ZH: Final = (
    *_TWICE_ZH,
    *_NOBODY_ACTED,
    "无故",
    "无端",
    "无法",
    "无理",
    "无奈",
    "无视",
    "无缘",
    "没完",
    "没收",
    "未成年",
)
_NEGATIONS_EN: Final = (
    "no",
    "not",
    "never",
    "without",
    "nobody",
    "none",
    "neither",
    "denies",
    "denied",
    "cannot",
    "avoid",
)
_UNSURE_EN: Final = frozenset(
    {"nearly", "almost", "whether", "if", "afraid", "fear", "feared", "worried", "lest", "unless"}
)
_TWICE_EN: Final = ("not without", "cannot deny", "can't deny", "cannot be denied", "never without", "no longer denies")
_REFUTED_EN: Final = (
    "is false",
    "is untrue",
    "is not true",
    "isn't true",
    "was false",
    "was untrue",
    "was not true",
    "wasn't true",
    "is a rumour",
    "is a rumor",
    "did not happen",
    "never happened",
)
_REFUTED_FAR_EN: Final = 40
_HARMLESS_EN: Final = (
    *_TWICE_EN,
    "not only",
    "no doubt",
    "not just",
    "no response",
    "no answer",
    "no reply",
    "no help",
)
_CLAUSE_ENDS: Final = frozenset("，。；：！？、,.;:!?\n\r()（）")
_BREAKS_EN: Final = frozenset({"but", "however", "yet", "although", "and"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fact that a text suggests, with the word that did and where it stands; `position` counts characters from 0."""

    signal: str
    fact: str
    value: FactValue
    word: str
    where: Where
    position: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class CompiledSignal:
    """A signal with its words folded to one form of letters."""

    id: str
    spec: Signal
    zh: tuple[tuple[str, str], ...]
    en: tuple[tuple[str, str, bool], ...]
    negations_zh: tuple[str, ...]
    negations_en: tuple[str, ...]
    folded: tuple[str, ...]


def compile_signal(name: str, spec: Signal) -> CompiledSignal:
    """Words folded, with the usual negations of both languages and the signal's own."""
    zh = tuple((word, _fold(word)) for word in spec.zh)
    en = tuple((word, _fold(word.removesuffix("*")), word.endswith("*")) for word in spec.en)
    return CompiledSignal(
        id=name,
        spec=spec,
        zh=zh,
        en=en,
        negations_zh=(*_NEGATIONS_ZH, *map(_fold, spec.negations.zh)),
        negations_en=(*_NEGATIONS_EN, *map(_fold, spec.negations.en)),
        folded=(*(folded for _, folded in zh), *(folded for _, folded, _ in en)),
    )


def signals_in(
    signals: Iterable[CompiledSignal], title: str | None = None, narrative: str | None = None
) -> tuple[Proposal, ...]:
    """Every fact the texts propose, in the order of the signals; of a signal's words the first not negated counts.

    Texts are read up to MAX_READ characters.
    """
    texts: dict[Where, tuple[str, str]] = {}
    given: tuple[tuple[Where, str | None], ...] = (("title", title), ("narrative", narrative))
    for where, text in given:
        if text:
            texts[where] = (text[:MAX_READ], _fold(text[:MAX_READ]))
    found: list[Proposal] = []
    for signal in signals:
        hit = _first_hit(signal, texts)
        if hit is not None:
            where, word, at, length = hit
            excerpt = texts[where][0][max(0, at - EXCERPT) : at + length + EXCERPT]
            found.extend(
                Proposal(signal.id, fact, value, word, where, at, excerpt)
                for fact, value in signal.spec.proposes.items()
            )
    return tuple(found)


def proposed_facts(proposals: Iterable[Proposal], given: Mapping[str, FactValue]) -> dict[str, FactValue]:
    """What the proposals add to the given facts: never a fact that is given.

    Where several signals propose one fact, lists are joined; of other values the first signal's counts.
    """
    added: dict[str, FactValue] = {}
    for proposal in proposals:
        if proposal.fact in given:
            continue
        before = added.get(proposal.fact)
        if isinstance(before, list) and isinstance(proposal.value, list):
            added[proposal.fact] = [*before, *(item for item in proposal.value if item not in before)]
        elif before is None:
            added[proposal.fact] = proposal.value
    return added


def _first_hit(signal: CompiledSignal, texts: Mapping[Where, tuple[str, str]]) -> tuple[Where, str, int, int] | None:
    for where in signal.spec.inside:
        if where not in texts:
            continue
        folded = texts[where][1]
        if not any([word in folded for word in signal.folded]):  # noqa: C419  # a generator takes twice as long
            continue
        hits = [*_chinese(signal, folded), *_english(signal, folded)]
        if hits:
            at, word, length = min(hits)
            return where, word, at, length
    return None


def _chinese(signal: CompiledSignal, text: str) -> Iterator[tuple[int, str, int]]:
    for word, folded in signal.zh:
        for at in _places(text, folded):
            if not _negated_zh(signal, text, at) and not _refuted(text, at + len(folded), _REFUTED_ZH, _REFUTED_FAR_ZH):
                yield at, word, len(folded)
                break


def _english(signal: CompiledSignal, text: str) -> Iterator[tuple[int, str, int]]:
    for word, folded, any_ending in signal.en:
        for at in _places(text, folded):
            end = at + len(folded)
            whole = not _letter(text, at - 1) and (any_ending or not _letter(text, end))
            refuted = whole and _refuted(text, end, _REFUTED_EN, _REFUTED_FAR_EN)
            if whole and not refuted and not _negated_en(signal, text, at):
                yield at, word, len(folded)
                break


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))


def _clause_before(text: str, at: int, length: int) -> str:
    start = at
    while start > 0 and at - start < length and text[start - 1] not in _CLAUSE_ENDS:
        start -= 1
    return text[start:at]


def _refuted(text: str, end: int, phrases: tuple[str, ...], far: int) -> bool:
    """Whether what follows the word in its own clause takes it back."""
    behind = text[end : end + far]
    stop = next((place for place, sign in enumerate(behind) if sign in _CLAUSE_ENDS), len(behind))
    clause = behind[:stop].replace("’", "'")
    return any(phrase in clause for phrase in phrases)


def _negated_zh(signal: CompiledSignal, text: str, at: int) -> bool:
    # Harmless phrases may begin before the near part, so a little more is read and they are blanked out first.
    clause = _clause_before(text, at, _NEAR_ZH + 6)
    for phrase in _HARMLESS_ZH:
        clause = clause.replace(phrase, " " * len(phrase))
    near = clause[-_NEAR_ZH - 2 :]
    if near.endswith(_CLOSE_ZH) and not near.endswith(_NOT_CLOSE_ZH):
        return True
    return any(_reaches(near, negation) for negation in (*signal.negations_zh, *_UNSURE_ZH))


def _reaches(near: str, negation: str) -> bool:
    """Whether the negation stands in the text right before the word and nothing else begins between the two."""
    place = near.rfind(negation)
    between = near[place + len(negation) :]
    return place >= 0 and len(between) <= _NEAR_ZH and not any(between.find(word) > 0 for word in _BREAKS_ZH)


def _negated_en(signal: CompiledSignal, text: str, at: int) -> bool:
    clause = _clause_before(text, at, 60)
    for phrase in _HARMLESS_EN:
        clause = clause.replace(phrase, " ")
    words = clause.replace("’", "'").split()[-_NEAR_EN:]
    for word in reversed(words):
        if word in _BREAKS_EN:
            return False
        if word.endswith("n't") or word in signal.negations_en or word in _UNSURE_EN:
            return True
    return any(" " in phrase and phrase in clause for phrase in signal.negations_en)


def _letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalnum()


def _fold(text: str) -> str:
    """Small letters and half-width forms, character by character, so that positions stay as they are."""
    return text.translate(_FOLDED)


_FULL_WIDTH: Final = 0xFEE0
_FOLDED: Final = {
    **{code: code + 32 for code in range(ord("A"), ord("Z") + 1)},
    **{code: (code - _FULL_WIDTH) for code in range(0xFF10, 0xFF5B)},
    **{code: (code - _FULL_WIDTH + 32) for code in range(0xFF21, 0xFF3B)},
}
