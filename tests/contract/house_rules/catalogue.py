"""The house rules by the code that `# lint-skip:` names, each with sources it must refuse and must accept."""

from dataclasses import dataclass

from tests.contract.house_rules import purity, seams, shape
from tests.contract.house_rules.source import Rule


@dataclass(frozen=True)
class HouseRule:
    """`refused` and `accepted` are (path, source text): the proof that the rule can fail, and only where it should."""

    rule: Rule
    refused: tuple[tuple[str, str], ...]
    accepted: tuple[tuple[str, str], ...]


DOMAIN = "services/escalator/domain/clocks.py"
APP = "services/escalator/app/open_case.py"
STORE = "services/escalator/store/cases.py"

RULES: dict[str, HouseRule] = {
    "clock": HouseRule(
        purity.no_clock_nor_chance,
        refused=(
            (DOMAIN, "import time\n"),
            (DOMAIN, "from uuid import uuid4\n"),
            (DOMAIN, "import datetime\nx = datetime.datetime.now()\n"),
            (DOMAIN, "from datetime import date\nx = date.today()\n"),
            (DOMAIN, "def decide(clock):\n    return clock.now()\n"),
            ("shared/plans/library.py", "import random\n"),
            ("shared/calendars/year.py", "from time import monotonic\n"),
            ("shared/contracts/values.py", "from secrets import token_hex\n"),
            ("services/drill/domain/timeline.py", "from shared.runtime.clock import SystemClock\n"),
            ("services/notifier/domain/bundles.py", "import os\nseed = os.urandom(4)\n"),
        ),
        accepted=(
            (
                DOMAIN,
                "from datetime import datetime, time\nfrom uuid import UUID\ndef due(now: datetime): return now\n",
            ),
            ("shared/runtime/clock.py", "import time\nfrom datetime import datetime\nx = datetime.now()\n"),
            (APP, "def open_case(clock):\n    return clock.now()\n"),
        ),
    ),
    "async-domain": HouseRule(
        purity.no_async_in_domain,
        refused=(
            (DOMAIN, "async def decide(): ...\n"),
            (DOMAIN, "class Clock:\n    async def due(self): ...\n"),
        ),
        accepted=((APP, "async def open_case(): ...\n"), (DOMAIN, "def decide(): ...\n")),
    ),
    "commit": HouseRule(
        seams.one_place_commits,
        refused=(
            (STORE, "async def save(tx):\n    await tx.connection.commit()\n"),
            (APP, "def open_case(session):\n    session.commit()\n"),
            ("shared/kafka/relay.py", "async def mark(connection):\n    await connection.commit()\n"),
            (STORE, 'async def save(tx):\n    await tx.execute("COMMIT;")\n'),
        ),
        accepted=(
            ("shared/db/engine.py", "async def transaction(connection):\n    await connection.commit()\n"),
            ("shared/kafka/consumer.py", "async def read(consumer):\n    await consumer.commit({})\n"),
            (STORE, "async def save(tx):\n    tx.after_commit.append(print)\n"),
        ),
    ),
    "producer": HouseRule(
        seams.one_place_produces,
        refused=(
            ("shared/kafka/relay.py", "from aiokafka import AIOKafkaProducer\np = AIOKafkaProducer()\n"),
            ("services/intake/app/accept_report.py", "import aiokafka\np = aiokafka.AIOKafkaProducer(acks=1)\n"),
        ),
        accepted=(
            ("shared/kafka/producer.py", "from aiokafka import AIOKafkaProducer\np = AIOKafkaProducer()\n"),
            (
                "shared/kafka/relay.py",
                "from aiokafka import AIOKafkaProducer\ndef relay(producer: AIOKafkaProducer) -> None: ...\n",
            ),
        ),
    ),
    "print": HouseRule(
        seams.only_the_command_line_prints,
        refused=((APP, 'def open_case():\n    print("opened")\n'), ("shared/kafka/relay.py", 'print("x")\n')),
        accepted=(
            ("services/console/cli/cases.py", 'print("x")\n'),
            ("services/command_line.py", 'print("x")\n'),
            (APP, "def open_case(console):\n    console.print('x')\n"),
        ),
    ),
    "length": HouseRule(
        shape.short_files,
        refused=((STORE, "x = 1\n" * 401),),
        accepted=((STORE, "x = 1\n" * 400),),
    ),
    "name": HouseRule(
        shape.telling_names,
        refused=(
            ("services/intake/utils.py", ""),
            ("services/intake/helpers/text.py", ""),
            ("shared/common.py", ""),
            ("shared/db/base.py", ""),
            ("services/notifier/app/manager.py", ""),
        ),
        accepted=(("shared/db/baseline.py", ""), ("services/intake/domain/commonality.py", "")),
    ),
    "reason": HouseRule(
        shape.explained_silence,
        refused=(
            (STORE, "import os  # noqa\n"),
            (STORE, "import os  # noqa: F401\n"),
            (STORE, "x: int = 'a'  # type: ignore[assignment]\n"),
            (STORE, "x: int = 'a'  # type: ignore  # because it has to be\n"),
            (STORE, "import os  # noqa: F401  # why\n"),
            (STORE, "import os  # lint-skip: clock\n"),
            (STORE, "import os  # noqa: F401 (used elsewhere)\n"),
        ),
        accepted=(
            (STORE, "import os  # noqa: F401  # imported for its registration\n"),
            (STORE, "x: int = 'a'  # type: ignore[assignment]  # the library declares it wrongly\n"),
            (STORE, "import os  # noqa: F401, E501 - imported for its registration\n"),
            (STORE, "x = '# noqa'  # a string that looks like one\n"),
        ),
    ),
    "log-word": HouseRule(
        shape.dotted_log_words,
        refused=(
            (APP, '_log.info("Case opened")\n'),
            (APP, 'case = 1\n_log.info(f"case.{case}")\n'),
            (APP, '_log.warning("opened", case=1)\n'),
            (APP, "_log.error()\n"),
        ),
        accepted=((APP, '_log.info("case.opened", case=1)\n'), (APP, 'problem.error("Not a log line")\n')),
    ),
    "use-case": HouseRule(
        shape.one_use_case_a_file,
        refused=((APP, "def open_case(): ...\nasync def close_case(): ...\n"),),
        accepted=(
            (APP, "class Ports: ...\ndef open_case(): ...\ndef _inner(): ...\n"),
            (STORE, "def load(): ...\ndef save(): ...\n"),
        ),
    ),
}
