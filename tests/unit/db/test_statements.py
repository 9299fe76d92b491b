"""Named parameters become the driver's, and several writes become one statement."""

import pytest

from shared.db.statements import MissingParameterError, NotAWriteError, bound, together


def test_names_become_numbers_and_literals_and_casts_stay() -> None:
    sql, values = bound("UPDATE t SET a = :a, b = ':a', c = :b::text WHERE d = :a", {"a": 1, "b": 2})
    assert sql == "UPDATE t SET a = $1, b = ':a', c = $2::text WHERE d = $1"
    assert values == [1, 2]


def test_a_parameter_that_is_not_given_is_named() -> None:
    with pytest.raises(MissingParameterError, match="b"):
        bound("DELETE FROM t WHERE a = :b", {"a": 1})


def test_one_write_stays_as_it_is() -> None:
    assert together(("INSERT INTO t VALUES ($1)",)) == "INSERT INTO t VALUES ($1)"


def test_parameters_are_numbered_anew_one_statement_after_the_other() -> None:
    joined = together(
        (
            "INSERT INTO a VALUES ($1, $2, '$1')",
            "DELETE FROM b",
            "UPDATE c SET d = $2, e = $1",
            "DELETE FROM f WHERE g = $1",
        )
    )
    assert joined == (
        "WITH w0 AS (INSERT INTO a VALUES ($1, $2, '$1')), w1 AS (DELETE FROM b), "
        "w2 AS (UPDATE c SET d = $4, e = $3) DELETE FROM f WHERE g = $5"
    )


@pytest.mark.parametrize("statement", ["SELECT 1", "WITH x AS (DELETE FROM t) SELECT 1", "TRUNCATE t"])
def test_only_plain_writes_are_put_together(statement: str) -> None:
    with pytest.raises(NotAWriteError):
        together((statement, "DELETE FROM t"))
