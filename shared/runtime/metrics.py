"""Every metric of the product, by name, with its type and meaning. Exposed at /metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

EVENTS_CONSUMED: Final = Counter("fenghuo_events_consumed", "Records by topic and outcome", ["topic", "outcome"])
CONSUMER_LAG: Final = Gauge("fenghuo_consumer_lag", "Records not yet consumed", ["topic", "partition"])
BATCH_SECONDS: Final = Histogram("fenghuo_batch_seconds", "Time to apply one batch", ["topic"], buckets=_LATENCY)
DEAD_LETTERS: Final = Counter("fenghuo_dead_letters", "Records given up, by topic", ["topic"])
OUTBOX_PUBLISHED: Final = Counter("fenghuo_outbox_published", "Records handed to Kafka", ["topic"])
OUTBOX_REPUBLISHED: Final = Counter("fenghuo_outbox_republished", "Records a broker lost and got again", ["topic"])
OUTBOX_BACKLOG: Final = Gauge("fenghuo_outbox_backlog", "Committed records not yet published")
OUTBOX_DELAY: Final = Histogram("fenghuo_outbox_delay_seconds", "Commit to Kafka acknowledgement", buckets=_LATENCY)
RELAY_ACTIVE: Final = Gauge("fenghuo_relay_active", "1 in the process that publishes for its service")
KAFKA_PRODUCERS: Final = Gauge("fenghuo_kafka_producers", "Producers of this process; never above 1")
HTTP_REQUESTS: Final = Counter("fenghuo_http_requests", "Requests by route and status", ["route", "status"])
REPORTS_REGISTERED: Final = Counter(
    "fenghuo_reports_registered", "Facts registered, by kind and outcome", ["kind", "outcome"]
)
CLASSIFICATIONS: Final = Counter("fenghuo_classifications", "Classifications by plan and level", ["plan", "level"])
WARNINGS_RAISED: Final = Counter("fenghuo_warnings_raised", "Warning cases opened or raised", ["plan", "level"])
WARNINGS_ENDED: Final = Counter("fenghuo_warnings_ended", "Warning cases that ended by themselves", ["plan"])
CASES_UNROUTED: Final = Counter("fenghuo_cases_unrouted", "Cases that no plan applied to, by kind", ["kind"])
FACTS_UNFIT: Final = Counter("fenghuo_facts_unfit", "Facts of a type the plan does not take, by plan", ["plan"])
CASES_OPEN: Final = Gauge("fenghuo_cases_open", "Cases not yet resolved, by plan and level", ["plan", "level"])
CLOCK_LATENESS: Final = Histogram("fenghuo_clock_lateness_seconds", "Due instant to firing", buckets=_LATENCY)
CLOCKS_FIRED: Final = Counter("fenghuo_clocks_fired", "Timers fired, by purpose", ["purpose"])
TIMERS_FAILED: Final = Counter(
    "fenghuo_timers_failed", "Due timers whose case could not be judged; tried again every minute"
)
CLOCKS_OVERDUE: Final = Gauge("fenghuo_clocks_overdue", "Armed timers past due and not fired, found by the auditor")
CLOCKS_UNARMED: Final = Gauge(
    "fenghuo_clocks_unarmed", "Instants a case waits for with nothing armed, found by the auditor"
)
CLOCKS_MISARMED: Final = Gauge(
    "fenghuo_clocks_misarmed", "Timers that were not what their case waits for, found by the auditor"
)
TIMERS_HEALED: Final = Counter("fenghuo_timers_healed", "Timers the auditor has put right, by what was wrong", ["kind"])
DUTIES_DUE: Final = Counter("fenghuo_duties_due", "Rounds of organisations' duties, told or missed", ["outcome"])
FIRES_UNPUBLISHED: Final = Gauge("fenghuo_fires_unpublished", "Fired timers whose event is not in the outbox")
CLOCKS_RECOUNTED: Final = Counter("fenghuo_clocks_recounted", "Clocks counted again after a calendar changed")
CALENDAR_YEARS_MISSING: Final = Gauge(
    "fenghuo_calendar_years_missing", "1 while the official list of a year is overdue", ["calendar"]
)
CALENDARS_BROKEN: Final = Gauge(
    "fenghuo_calendars_broken", "1 while the calendars on disk are refused and older ones are used"
)
CHAINS_ENDED: Final = Counter("fenghuo_chains_ended", "Escalations whose last tier did not acknowledge", ["plan"])
MESSAGES_TURNED: Final = Counter(
    "fenghuo_messages_turned", "Messages to a role without anybody, told to a tier in its place or to nobody", ["to"]
)
DELIVERY_ATTEMPTS: Final = Counter(
    "fenghuo_delivery_attempts", "Attempts by channel and outcome", ["channel", "outcome"]
)
DELIVERY_SECONDS: Final = Histogram(
    "fenghuo_delivery_seconds", "Request received to provider's answer", ["channel"], buckets=_LATENCY
)
NOBODY_REACHED: Final = Counter("fenghuo_nobody_reached", "Requests whose role resolved to nobody", ["role"])
DELIVERY_DOUBTFUL: Final = Counter(
    "fenghuo_delivery_doubtful", "Messages sent again although an earlier call may have got through", ["channel"]
)
DELIVERY_RECEIPTS: Final = Counter("fenghuo_delivery_receipts", "Receipts by channel and status", ["channel", "status"])
DELIVERY_SETTLEMENTS: Final = Counter(
    "fenghuo_delivery_settlements", "Published settlements by channel and settlement", ["channel", "settlement"]
)
NOISE_RULINGS: Final = Counter(
    "fenghuo_noise_rulings", "Messages held, bundled or left out to keep the noise down, by rule", ["rule"]
)
DELIVERY_IN_FLIGHT: Final = Gauge("fenghuo_delivery_in_flight", "Calls to providers not yet answered", ["channel"])
NOTIFIED_NOBODY: Final = Gauge(
    "fenghuo_notified_nobody", "Requests of the last hour that reached nobody, by any provider, channel or person"
)
DELIVERY_NO_WAY: Final = Gauge(
    "fenghuo_delivery_no_way_out", "Messages that wait because no provider of any of their channels takes them now"
)
PROVIDER_HEALTH: Final = Gauge(
    "fenghuo_provider_health", "0 to 1: answers that were good times messages that arrived", ["provider"]
)
PROVIDER_CIRCUIT: Final = Gauge("fenghuo_provider_circuit", "0 closed, 1 probing, 2 open: not called", ["provider"])
PROVIDER_SPENT: Final = Gauge(
    "fenghuo_provider_spent", "Money spent today, in the currency of the provider file", ["provider"]
)
PLANS_BROKEN: Final = Gauge("fenghuo_plans_broken", "1 while the plans on disk are refused and older ones are used")
PLANS_IN_FORCE: Final = Gauge("fenghuo_plans_in_force", "Plans that new cases may get")
ROSTER_BROKEN: Final = Gauge("fenghuo_roster_broken", "1 while the roster on disk is refused and an older one is used")
ROSTER_PEOPLE: Final = Gauge("fenghuo_roster_people", "People in the roster in force", ["org"])
ROSTER_FINDINGS: Final = Gauge(
    "fenghuo_roster_findings", "What will go wrong with a roster in the days ahead, by kind", ["org", "kind"]
)
LIVE_TEST_UNANSWERED: Final = Gauge(
    "fenghuo_live_test_unanswered", "People who did not answer the last finished live test in time", ["org"]
)
ERASED_ROWS: Final = Counter("fenghuo_erased_rows", "Rows deleted or emptied of erased cases, by part", ["part"])
CASES_ERASED: Final = Counter("fenghuo_cases_erased", "Cases erased, by part and why", ["part", "why"])
CASES_HELD: Final = Gauge("fenghuo_cases_held", "Cases of which nothing may be erased for now")
OLDEST_KEPT: Final = Gauge(
    "fenghuo_oldest_kept_seconds", "Age of the oldest case that is over and still holds this part", ["part"]
)
CONSOLE_STREAMS: Final = Gauge("fenghuo_console_streams", "Open live pages")
