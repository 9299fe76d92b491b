"""What the classifier forgets of erased cases: all but that they were counted."""

from datetime import timedelta

from services.classifier.store.retention import erase_cases
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, ErasedPart
from shared.kafka.erasing import Erasing, Share
from tests.support.classification import IDS, Classifier, create_complaint, one_by_one

MARK = "Zq7Wx9Kj3"
TABLES = ("cases", "window_members", "reconsiderations", "event_marks", "warnings", "window_groups", "window_counters")


async def with_mark(classifier: Classifier) -> list[str]:
    return [
        table
        for table in TABLES
        if await classifier.rows(
            f"SELECT 1 FROM {table} AS t WHERE CAST(t AS text) LIKE :mark",  # noqa: S608  # constants
            mark=f"%{MARK}%",
        )
    ]


async def test_state_goes_and_counts_stay(classifier: Classifier) -> None:
    kept = [create_complaint() for _ in range(4)]
    gone = create_complaint(title=MARK, narrative=f"{MARK} no signal")
    await one_by_one(classifier, [*kept, gone])
    assert await with_mark(classifier) == ["cases"]
    counters = await classifier.rows("SELECT series_id, bucket_start, count FROM window_counters ORDER BY 1, 2")
    assert counters

    now = classifier.clock.now()
    data = CaseErasedV1(
        number="N-1", part=ErasedPart.PERSONAL_DATA, last_changed_at=now - timedelta(minutes=1), erased_at=now
    )
    event = Event(id=IDS.new(), source="/t", time=now, org=gone.org, case_id=gone.case_id, data=data)
    erasing = Erasing(classifier.database, Share(erase_cases, erase_cases))
    await erasing([event])
    assert await with_mark(classifier) == []
    left = {row["case_id"] for row in await classifier.rows("SELECT case_id FROM cases")}
    assert left == {one.case_id for one in kept}
    assert counters == await classifier.rows("SELECT series_id, bucket_start, count FROM window_counters ORDER BY 1, 2")

    # Read anew from the topic, by a reader that has forgotten its inbox: gone again with the next look.
    await classifier.rows("DELETE FROM inbox RETURNING 1")
    await classifier.classify(gone)
    assert await with_mark(classifier) == ["cases"]
    await erasing.again()
    assert await with_mark(classifier) == []
