"""Words in a text propose facts, with evidence; negated ones propose nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.values import FactValue
from shared.plans.input_spec import Signal
from shared.plans.signals import MAX_READ, CompiledSignal, compile_signal, proposed_facts, signals_in

INJURY = compile_signal(
    "injury",
    Signal.model_validate(
        {"proposes": {"hurt": True}, "zh": ["受伤", "流血"], "en": ["injured", "bleed*"], "negations": {"zh": ["疑似"]}}
    ),
)
MEDIA = compile_signal(
    "media",
    Signal.model_validate(
        {"proposes": {"media": ["tv"]}, "zh": ["电视台"], "en": ["TV station"], "in": ["narrative"]},
    ),
)
WEB = compile_signal("web", Signal.model_validate({"proposes": {"media": ["web"]}, "zh": ["微博"], "en": ["weibo"]}))


@pytest.mark.parametrize(
    "text",
    [
        "顾客在电梯口受伤",
        "地上有人流血，无人处理",
        "没人管我，受伤两小时了",
        "没人处理受伤的孩子",
        "他不但受伤，还被推搡",
        "不断流血",
        "服务态度不好还弄得孩子受伤",
        "没有及时处理导致受伤",
        "未成年人受伤",
        "两人分别受伤",
        "电梯不停，乘客受伤",
        "不给赔偿我受伤",
        "无人接听，受伤无法就医",
        "没有得到赔偿。孩子受伤",
        "并非没有人受伤",
        "不能否认有人受伤",
        "不是没有流血",
        "担心赔偿，孩子已受伤",
        "客服说不属实，孩子确实受伤",
        "受伤，投诉单写的不属实",
        "A child was injured at the lift",
        "INJURED!",
        "He is bleeding badly",
        "Not only injured but insulted",
        "no answer, and two people injured",
        "There was no help and he was injured",
        "It cannot be denied that two were injured",
        "not without people injured",
        "He was injured. The report is not true",
        "ＩＮＪＵＲＥＤ",
    ],
)
def test_a_word_proposes_its_fact(text: str) -> None:
    assert [(found.fact, found.value) for found in signals_in([INJURY], narrative=text)] == [("hurt", True)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "电梯坏了",
        "没有人员受伤",
        "所幸未造成人员受伤",
        "没有流血",
        "无人受伤",
        "未导致人员受伤",
        "没人受伤",
        "为避免受伤已疏散",
        "大家不会受伤",
        "老人否认受伤",
        "乘客不是受伤，是生气",
        "疑似受伤",
        "差点受伤",
        "险些有人受伤",
        "担心孩子受伤",
        "请核实是否有人受伤",
        "如果有人受伤谁负责",
        "有人受伤的说法不属实",
        "所谓受伤纯属虚构",
        "nobody was injured",
        "He was not injured",
        "He wasn't seriously injured",
        "two falls without anybody injured",
        "uninjured",
        "he was nearly injured",
        "we ask whether anybody was injured",
        "I was afraid of being injured",
        "that somebody was injured is not true",
        "the story that he was injured was false",
        "injuredness",
        "never bleeding",
    ],
)
def test_a_negated_or_partial_word_proposes_nothing(text: str) -> None:
    assert signals_in([INJURY], narrative=text) == ()


def test_a_negated_word_does_not_hide_a_later_one() -> None:
    found = signals_in([INJURY], narrative="昨天没有受伤。今天又去，受伤了")
    assert [proposal.position for proposal in found] == [12]


def test_the_evidence_is_the_word_its_place_and_what_stands_around_it() -> None:
    text = "前" * 40 + "孩子受伤了" + "后" * 40
    (found,) = signals_in([INJURY], title="电梯", narrative=text)
    assert (found.signal, found.word, found.where, found.position) == ("injury", "受伤", "narrative", 42)
    assert found.excerpt == text[42 - 24 : 44 + 24]
    assert text[found.position :].startswith(found.word)


def test_the_title_is_read_first_unless_the_signal_says_otherwise() -> None:
    assert signals_in([INJURY], title="孩子受伤", narrative="流血")[0].where == "title"
    assert signals_in([MEDIA], title="电视台来访") == ()
    assert signals_in([MEDIA], narrative="the tv station called")[0].word == "TV station"


def test_a_proposal_never_replaces_a_given_fact_and_lists_are_joined() -> None:
    found = signals_in([INJURY, MEDIA, WEB], narrative="孩子受伤，电视台和微博都在报道")
    assert proposed_facts(found, {}) == {"hurt": True, "media": ["tv", "web"]}
    assert proposed_facts(found, {"hurt": False, "media": []}) == {}


def test_of_values_that_exclude_each_other_the_first_signal_counts() -> None:
    def rank(value: FactValue, word: str) -> CompiledSignal:
        return compile_signal(f"r-{word}", Signal.model_validate({"proposes": {"rank": value}, "zh": [word]}))

    found = signals_in([rank("central", "央视"), rank("city", "晚报")], narrative="晚报和央视")
    assert proposed_facts(found, {}) == {"rank": "central"}


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_can_be_read_and_the_word_stands_where_it_is_said_to(narrative: str, title: str) -> None:
    for found in signals_in([INJURY, MEDIA, WEB], title, narrative):
        text = title if found.where == "title" else narrative
        assert 0 <= found.position < len(text)
        assert found.excerpt in text


@given(st.text(alphabet="没有不未受伤流血，。 injuredbleednot'", max_size=120))
def test_reading_is_the_same_every_time_and_reads_no_further_than_it_may(text: str) -> None:
    once = signals_in([INJURY], narrative=text)
    assert once == signals_in([INJURY], narrative=text)
    assert signals_in([INJURY], narrative="，" * MAX_READ + text) == ()


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    def seconds(length: int) -> float:
        text = "没有受伤" * (length // 4)
        took = []
        for _ in range(3):
            begin = time.process_time()
            assert signals_in([INJURY], narrative=text) == ()
            took.append(time.process_time() - begin)
        return min(took)

    assert seconds(20_000) < 40 * max(seconds(2_000), 0.001)
