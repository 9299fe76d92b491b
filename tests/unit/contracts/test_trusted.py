"""A value put together from checked parts is the value that checking would have made."""

from copy import copy, deepcopy

import pytest
from pydantic import ValidationError

from shared.contracts.values import Bilingual, Place, trusted


def test_a_trusted_value_is_the_checked_one_in_every_use() -> None:
    checked, made = Bilingual(zh="红色", en="Red"), trusted(Bilingual, zh="红色", en="Red")
    assert made == checked
    assert hash(made) == hash(checked)
    assert made.model_dump_json() == checked.model_dump_json()
    assert made.model_fields_set == checked.model_fields_set
    assert copy(made) == deepcopy(made) == made.model_copy() == checked
    assert made.model_copy(update={"en": "red"}).en == "red"
    assert repr(made) == repr(checked)
    with pytest.raises(ValidationError, match="frozen"):
        made.zh = "橙色"  # type: ignore[misc]  # that it cannot be set is what is tested


def test_trusted_values_of_one_kind_share_nothing_that_changes() -> None:
    one = trusted(Place, province="湖南省", city=None, district=None, site=None)
    two = trusted(Place, province="湖北省", city=None, district=None, site=None)
    assert (one.province, two.province) == ("湖南省", "湖北省")
    assert one.model_copy(update={"city": "长沙市"}).city == "长沙市"
    assert one.city is two.city is None
