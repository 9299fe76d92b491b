"""Several providers: their file, the choice among them, their circuits and guards."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.assembly import Fittings, assembled, fleet
from services.notifier.channels.channel import Accepted, OutgoingMessage, Reject, Reply, Retry
from services.notifier.channels.guarded import GuardedChannel, ProviderChoice, Standing
from services.notifier.domain.circuit import Circuit, CircuitPolicy, CircuitState
from services.notifier.domain.delivery import Answer, Bar, Case, Policy, Route, decide
from services.notifier.domain.provider_choice import Candidate, Health, Terms, cost, in_order, routed
from services.notifier.domain.provider_file import AnyProvider, ProviderFileError, parse_providers, terms_of
from services.notifier.domain.reach import Reach
from shared.contracts.notifications import Settlement
from shared.contracts.values import ChannelKind
from shared.runtime.ids import TimeOrderedIds
from tests.support.clock import ManualClock
from tests.support.outgoing import outgoing

SMS, EMAIL = ChannelKind.SMS, ChannelKind.EMAIL
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
FILE = """
providers:
  - {name: home, type: sms-http, url: "https://user:${SMS_PASSWORD}@sms.example.org/send", sender: "1069",
     prefixes: ["+86"], per_second: 50, price: 0.045, most_per_day: 200, receipt_within_s: 60}
  - {name: centre, type: smpp, host: smsc.example.org, system_id: fenghuo, password: "${SMPP}", sender: "1069"}
  - name: ali
    type: alibaba
    key_id: id
    key_secret: ${ALI}
    sign_name: 烽火
    template: SMS_1
    parameters: {what: {piece: headline, limit: 35}, link: {piece: link-path}}
  - {name: qcloud, type: tencent, secret_id: id, secret_key: "${ALI}", app_id: "1400", sign_name: 烽火, template: "1",
     parameters: [{piece: sms}]}
  - {name: world, type: twilio, account: AC1, auth_token: "${ALI}", sender: "+15005550006"}
  - {name: group, type: wecom, url: "https://qyapi.example.org/cgi-bin/webhook/send?key=k"}
  - {name: ding, type: dingtalk, url: "https://oapi.example.org/robot/send?access_token=t", secret: "${ALI}"}
  - {name: bird, type: feishu, url: "https://open.example.org/hook/h"}
  - {name: slack, type: slack, url: "https://hooks.example.org/services/T/B/x"}
  - {name: calls, type: webhook, channel: voice, url: "https://voice.example.org/", secret: "${LONG}"}
  - {name: mail, type: smtp, url: "smtps://mail.example.org", sender: "fenghuo@example.org"}
"""
SECRETS = {"SMS_PASSWORD": "p%40ss", "SMPP": "smpp-pw", "ALI": "ali-secret", "LONG": "a-secret-of-enough-length"}


async def test_a_file_with_every_kind_of_provider_becomes_channels_in_its_order() -> None:
    file = parse_providers(FILE, SECRETS, file="providers.yaml")
    fittings = Fittings(ManualClock(NOW), TimeOrderedIds(), timedelta(seconds=1), 5, lambda _: _no_inbox())
    channels = assembled(file, fittings)
    terms = [terms_of(one) for one in file.providers]

    assert [channel.name for channel in channels] == [one.name for one in terms]
    assert [channel.kind for channel in channels] == [one.channel for one in terms]
    assert (terms[0].prefixes, terms[0].most_per_day, terms[0].receipt_within) == (("+86",), 200, timedelta(seconds=60))
    made = fleet(
        list(zip(channels, terms, strict=True)),
        clock=ManualClock(NOW),
        timeout=timedelta(seconds=1),
        circuit=CircuitPolicy(),
    )
    assert set(made.resident) == {"centre"}
    assert made.choice.receipts_within() == {"home": timedelta(seconds=60)}
    await made.close()
    with pytest.raises(ValueError, match="home"):
        fleet([(channels[0], terms[0])] * 2, clock=ManualClock(NOW), timeout=timedelta(), circuit=CircuitPolicy())


def test_the_example_is_a_provider_file() -> None:
    text = (Path(__file__).parents[3] / "deploy" / "providers" / "example.yaml").read_text("utf-8")
    secrets = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", text), "a-secret-of-enough-length")
    assert len(parse_providers(text, secrets, file="example.yaml").providers) == 7


def test_every_type_of_provider_says_what_it_reaches() -> None:
    union = get_args(AnyProvider)[0]
    types = {word for model in get_args(union) for word in get_args(model.model_fields["type"].annotation)}
    made = {one.type: terms_of(one).channel for one in parse_providers(FILE, SECRETS, file="providers.yaml").providers}
    assert types == set(made), "one entry of each type"


def _no_inbox() -> Any:
    return None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("providers: []", "providers"),
        ("providers: [{name: a, type: pigeon}]", "providers.0"),
        ("providers: [{name: A B, type: slack, url: 'https://x'}]", "providers.0.slack.name"),
        ("providers: [{name: a, type: slack, url: 'ftp://secret-place'}]", "providers.0.slack.url"),
        ("providers: [{name: a, type: slack, url: 'https://x', prefixes: ['86']}]", "providers.0.slack.prefixes.0"),
        ("providers: [{name: a, type: slack, url: 'https://x', per_second: -1}]", "providers.0.slack.per_second"),
        ("providers: [{name: a, type: slack, url: 'https://x', colour: red}]", "providers.0.slack.colour"),
        ("providers: [{name: a, type: slack, url: '${NOT_SET}'}]", "providers.0.url: the environment has no NOT_SET"),
        ("providers: &a [{name: a, type: slack, url: 'https://x'}, {name: a, type: slack, url: 'https://x'}]", "'a'"),
        # without these two nobody would ever be told, or every message would count as lost
        ("providers: [{name: a, type: slack, url: 'https://x', prefixes: ['+86']}]", "providers.0.slack.prefixes"),
        (
            "providers: [{name: a, type: wecom, url: 'https://x', receipt_within_s: 9}]",
            "providers.0.wecom.receipt_within_s",
        ),
        (
            "providers: [{name: a, type: smtp, url: 'smtp://x', sender: a@example.org, receipt_within_s: 9}]",
            "receipt_within_s",
        ),
        ("timezone: Mars/Base\nproviders: [{name: a, type: slack, url: 'https://x'}]", "timezone"),
        ("providers: [", "not YAML"),
        ("- 1", "file"),
        ("", "file"),
    ],
)
def test_a_broken_file_is_refused_by_field_and_without_its_secrets(text: str, field: str) -> None:
    with pytest.raises(ProviderFileError) as raised:
        parse_providers(text, {}, file="providers.yaml")
    assert field in str(raised.value)
    assert str(raised.value).startswith("providers.yaml: ")
    assert "secret-place" not in str(raised.value)


HOME = Terms("home", SMS, prefixes=("+86",))
CITY = Terms("city", SMS, prefixes=("+861380", "+852"))
WORLD = Terms("world", SMS)
MAIL = Terms("mail", EMAIL)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("13800000001", ("city", "home", "world")),
        ("+8613800000001", ("city", "home", "world")),
        ("008613900000001", ("home", "world")),
        ("+85260000000", ("city", "world")),
        ("+4915100000000", ("world",)),
    ],
)
def test_the_longest_prefix_comes_first_and_others_do_not_serve(to: str, expected: tuple[str, ...]) -> None:
    candidates = [Candidate(one) for one in (WORLD, HOME, CITY, MAIL)]
    assert in_order(candidates, SMS, to, country="86") == expected


def test_a_weak_or_busy_provider_goes_behind_and_never_away() -> None:
    weak, busy = Candidate(HOME, Health(answers=0.4)), Candidate(CITY, busy=True)
    assert in_order([weak, busy, Candidate(WORLD)], SMS, "13800000001", country="86") == ("world", "city", "home")
    never_arrives = Candidate(HOME, Health(delivered=0.1))
    assert in_order([never_arrives, Candidate(WORLD)], SMS, "13800000001", country="86") == ("world", "home")


def test_each_address_gets_its_own_order_and_an_unserved_one_is_said() -> None:
    ways = Reach(
        (Route(SMS, "home", "a"), Route(SMS, "world", "a"), Route(SMS, "home", "b"), Route(EMAIL, "mail", "m")), ()
    )
    found = routed(
        ways,
        {"a": "13800000001", "b": "+4915100000000", "m": "a@example.org"},
        [Candidate(HOME), Candidate(MAIL)],
        country="86",
    )
    assert found.routes == (Route(SMS, "home", "a"), Route(EMAIL, "mail", "m"))
    assert found.skipped == ("sms: no provider serves the prefix of b",)


def test_money_is_counted_by_sms_on_the_wire() -> None:
    assert cost(Terms("a", SMS, price=0.045), 3) == 135_000
    assert cost(Terms("a", EMAIL, price=0.001), 3) == 1_000


POLICY = CircuitPolicy(failures=3, first_pause=timedelta(seconds=10), longest_pause=timedelta(seconds=35))


def test_a_circuit_opens_after_failures_in_a_row_probes_once_and_closes_on_success() -> None:
    circuit = Circuit()
    for _ in range(2):
        circuit = circuit.ended(NOW, POLICY, good=False)
    assert circuit.ended(NOW, POLICY, good=True) == Circuit()
    opened = circuit.ended(NOW, POLICY, good=False)
    assert opened.state is CircuitState.OPEN
    assert not opened.admits(NOW + timedelta(seconds=9.9))
    probing_from = NOW + timedelta(seconds=10)
    assert opened.admits(probing_from)
    probing = opened.begun()
    assert not probing.admits(probing_from)
    assert probing.ended(probing_from, POLICY, good=True) == Circuit()


def test_each_probe_that_fails_doubles_the_pause_up_to_its_limit() -> None:
    circuit = Circuit(failures=2).ended(NOW, POLICY, good=False)
    pauses = []
    for _ in range(4):
        assert circuit.until is not None
        pauses.append((circuit.until - NOW).total_seconds())
        circuit = circuit.begun().ended(NOW, POLICY, good=False)
    assert pauses == [10, 20, 35, 35]


@given(st.lists(st.sampled_from(["begin", "good", "bad", "wait"]), max_size=60))
def test_a_circuit_never_stays_shut_for_ever(steps: list[str]) -> None:
    circuit, now, out = Circuit(), NOW, 0
    for step in steps:
        if step == "begin" and circuit.admits(now):
            circuit, out = circuit.begun(), out + 1
        elif step in {"good", "bad"} and out:
            circuit, out = circuit.ended(now, POLICY, good=step == "good"), out - 1
        elif step == "wait":
            now += timedelta(seconds=7)
    for _ in range(out):
        circuit = circuit.ended(now, POLICY, good=False)
    assert circuit.admits(now + timedelta(minutes=1))


class Scripted:
    """A channel that answers as told."""

    name, kind = "scripted", SMS

    def __init__(self, *answers: Reply | BaseException) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.hold: asyncio.Event | None = None

    async def send(self, message: OutgoingMessage) -> Reply:
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


BAD = Retry(timedelta(), "away", answer=Answer.TRANSIENT)
GOOD = Accepted("id", "0")


def _guarded(inner: Scripted, clock: ManualClock, **terms: Any) -> GuardedChannel:
    standing = Standing(Terms("scripted", SMS, **terms))
    return GuardedChannel(inner, standing, clock=clock, zone=ZONE, timeout=timedelta(seconds=1), policy=POLICY)


async def test_a_failing_provider_is_left_alone_and_found_again() -> None:
    clock = ManualClock(NOW)
    inner = Scripted(BAD, BAD, BAD, GOOD)
    guarded = _guarded(inner, clock)
    for _ in range(3):
        assert await guarded.send(outgoing()) == BAD
    barred = await guarded.send(outgoing())
    assert isinstance(barred, Retry)
    assert (barred.answer, barred.after, inner.calls) == (Answer.UNAVAILABLE, timedelta(seconds=10), 3)
    clock.advance(timedelta(seconds=10))
    assert await guarded.send(outgoing()) == GOOD
    assert guarded.standing.circuit == Circuit()


async def test_only_one_probe_is_out_at_a_time() -> None:
    clock = ManualClock(NOW)
    inner = Scripted(BAD, BAD, BAD, GOOD)
    guarded = _guarded(inner, clock)
    for _ in range(3):
        await guarded.send(outgoing())
    clock.advance(timedelta(seconds=11))
    inner.hold = asyncio.Event()
    probe = asyncio.create_task(guarded.send(outgoing()))
    await asyncio.sleep(0.01)
    other = await guarded.send(outgoing())
    # Others pass it over without a call that would stand in the ledger.
    choice = ProviderChoice([guarded.standing], country="86", zone=ZONE)
    meanwhile = choice.barred(clock.now())
    inner.hold.set()
    assert isinstance(other, Retry)
    assert other.answer is Answer.UNAVAILABLE
    assert [(name, bar.why) for name, bar in meanwhile.items()] == [
        ("scripted", "a probe of this provider is on its way")
    ]
    assert meanwhile["scripted"].until > clock.now()
    assert await probe == GOOD
    assert inner.calls == 4
    assert not choice.barred(clock.now())


@pytest.mark.parametrize("fault", [RuntimeError("bug"), TimeoutError(), asyncio.CancelledError()])
async def test_a_probe_that_breaks_does_not_shut_the_circuit_for_ever(fault: BaseException) -> None:
    clock = ManualClock(NOW)
    guarded = _guarded(Scripted(BAD, BAD, BAD, fault, GOOD), clock)
    for _ in range(3):
        await guarded.send(outgoing())
    clock.advance(timedelta(seconds=11))
    with pytest.raises(type(fault)):
        await guarded.send(outgoing())
    clock.advance(timedelta(minutes=1))
    assert await guarded.send(outgoing()) == GOOD


async def test_a_refused_address_says_nothing_about_the_provider() -> None:
    guarded = _guarded(Scripted(Reject("no such number")), ManualClock(NOW))
    for _ in range(10):
        assert isinstance(await guarded.send(outgoing()), Reject)
    assert guarded.standing.health.score == 1.0


async def test_the_days_money_ends_calls_until_the_next_day_there() -> None:
    clock = ManualClock(NOW)
    inner = Scripted(GOOD)
    guarded = _guarded(inner, clock, price=0.05, most_per_day=0.1)
    short = outgoing(link=None, title="断")
    assert await guarded.send(short) == GOOD
    assert await guarded.send(short) == GOOD
    assert guarded.standing.unreported == {date(2026, 11, 22): 100_000}
    spent = await guarded.send(short)
    assert isinstance(spent, Retry)
    assert spent.after == timedelta(hours=12)  # four in the morning UTC is noon there
    clock.advance(timedelta(hours=12))
    assert await guarded.send(short) == GOOD
    assert inner.calls == 3


async def test_unanswered_calls_are_charged_and_refused_ones_are_not() -> None:
    doubt = Retry(timedelta(), "no answer", answer=Answer.UNKNOWN)
    guarded = _guarded(Scripted(doubt, BAD, Reject("no"), GOOD), ManualClock(NOW), price=1.0)
    for _ in range(4):
        await guarded.send(outgoing(link=None, title="断"))
    assert guarded.standing.spent == 2_000_000


async def test_a_burst_beyond_the_rate_goes_to_others() -> None:
    inner = Scripted(GOOD)
    guarded = _guarded(inner, ManualClock(NOW), per_second=5)
    replies = await asyncio.gather(*(guarded.send(outgoing()) for _ in range(20)))
    taken = [reply for reply in replies if reply == GOOD]
    # One second's worth at once, and those whose turn comes within their patience of 0.3 s.
    assert 5 <= len(taken) <= 8
    assert all(isinstance(reply, Retry) and reply.answer is Answer.UNAVAILABLE for reply in replies if reply != GOOD)


A, B = Route(SMS, "a", "sms-1"), Route(SMS, "b", "sms-1")
DELIVERY = Policy(receipt_within={"a": timedelta(seconds=60)})


def test_a_barred_provider_is_passed_over_and_tried_when_the_bar_ends() -> None:
    bar = Bar(NOW + timedelta(seconds=30), "not called after 5 failures in a row")
    case = Case((A, B), (), (), NOW, barred={"a": bar})
    assert [send.route for send in decide(case, DELIVERY, NOW).sends] == [B]

    alone = replace(case, routes=(A,))
    waiting = decide(alone, DELIVERY, NOW)
    assert (waiting.sends, waiting.look_again_at) == ((), bar.until)
    assert waiting.verdict is not None
    assert waiting.verdict.settlement is Settlement.FAILED
    assert "5 failures in a row" in waiting.verdict.reason
    assert [send.route for send in decide(alone, DELIVERY, bar.until).sends] == [A]
