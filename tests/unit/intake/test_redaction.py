"""What is taken out of free text, and what stays."""

import time

import pytest

from services.intake.domain.redaction import known_particulars, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请回电13800001234谢谢", "请回电【电话】谢谢"),
        ("电话 138 0000 1234。", "电话 【电话】。"),
        ("138-0000-1234", "【电话】"),
        ("+8613800001234", "【电话】"),
        ("+86 138 0000 1234", "【电话】"),
        ("0086-138-0000-1234", "【电话】"),
        ("１３８００００１２３４", "【电话】"),
        ("13800001234 13800005678", "【电话】 【电话】"),
        ("13800001234、13800005678", "【电话】、【电话】"),
        ("13800001234-13800005678", "【电话】-【电话】"),
        ("座机010-12345678转802", "座机【电话】"),
        ("+44 20 7946 0958", "【电话】"),
        # Check digit of GB 11643 for 11010519491231002? is X: 167 mod 11 = 2.
        ("身份证11010519491231002X", "身份证【证件】"),
        ("身份证 110105 19491231 002x", "身份证 【证件】"),
        # Luhn: the common test number 4111 1111 1111 1111.
        ("卡号4111 1111 1111 1111到期", "卡号【卡号】到期"),
        ("写信到 someone.else+tag@mail.example.com 。", "写信到 【邮箱】 。"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(text: str, expected: str) -> None:
    assert redact(text, "zh") == expected


@pytest.mark.parametrize(
    "text",
    [
        "订单 202611210001234567 未到",  # 18 digits, wrong check digit
        "卡号4111111111111112",  # fails Luhn
        "影响 50000 户，损失 1234567 元",
        "2026-11-21 09:30:00",
        "工单 2026-11-000123",
        "版本 10.2.13.4",
        "",
        "没有号码的投诉",
    ],
)
def test_other_numbers_stay_readable(text: str) -> None:
    assert redact(text, "zh") == text


def test_english_words_in_english_texts() -> None:
    assert redact("call 13800001234 or a@example.org", "en") == "call [phone] or [mail]"


def test_the_persons_own_particulars_are_replaced_literally() -> None:
    known = known_particulars(["投诉人甲", "CN-778899", None, "甲"])
    assert redact("投诉人甲（客户号CN-778899）来电，甲方", "zh", known) == "【本人】（客户号【本人】）来电，甲方"


def test_long_texts_take_linear_time() -> None:
    started = time.perf_counter()
    for text in (
        "1 " * 10_000,
        "1" * 20_000,
        "a" * 20_000 + "@",
        "a@" * 10_000,
        "a@a." * 5_000,
        "+" * 20_000 + "123456",
    ):
        redact(text, "zh")
    assert time.perf_counter() - started < 3
