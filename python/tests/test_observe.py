"""Events and counters: who is told what, and what becomes of whoever does not listen as it should."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import START
from support import CREDENTIALS, Script, answer, assert_no_canary
from test_processes import run

import fleetauth
from fleetauth import Event, FleetUp, HttpResponse, Runtime, _observe, aio
from fleetauth.testing import Emulator, ManualClock

README = Path(__file__).parents[1] / "README.md"


def names(events: list[Event]) -> list[str]:
    return [event["event"] for event in events]


def test_an_observer_is_told_what_happens_from_then_on(client: FleetUp, runtime: Runtime, clock: ManualClock) -> None:
    events: list[Event] = []
    client.token()
    clock.advance(timedelta(hours=2))
    with fleetauth.observe(events.append, runtime=runtime):
        renewed = client.token()
    client.report_rejected(renewed)
    now = int((START + timedelta(hours=2)).timestamp() * 1000)
    always = {"time_ms": now, "level": "debug", "provider": "fleetup"}
    assert events == [
        {**always, "event": "request", "step": "token", "origin": "https://api.fleetup.net", "attempt": 1},
        {**always, "event": "login", "credential": "jwt", "generation": renewed.generation, "expires_in_ms": 3_600_000},
    ]


def test_events_and_counters_are_of_their_types(client: FleetUp, runtime: Runtime, script: Script) -> None:
    events: list[Event] = []
    script.then_answer(HttpResponse(429, [("Content-Type", "application/json"), ("Retry-After", "120")], b'{"error":"slow_down"}'))
    with fleetauth.observe(events.append, runtime=runtime), pytest.raises(fleetauth.RateLimited):
        client.token()
    failure = events[-1]
    assert (failure["event"], failure["level"], failure["status_name"]) == ("failure", "warning", "E_RATE_LIMITED")
    assert (failure["http_status"], failure["retry_after_ms"], failure["retryable"]) == (429, 120_000, True)
    for event in events:
        for name, value in event.items():
            kind = Event.__annotations__[name]
            assert value in kind.__args__ if hasattr(kind, "__args__") else type(value) is kind, name
    counters = runtime.counters()
    assert list(counters) == list(fleetauth.Counters.__annotations__)
    assert {name: count for name, count in counters.items() if count} == {"request": 1, "failure": 1}


def test_L03_no_event_and_no_log_holds_a_secret(
    client: FleetUp, runtime: Runtime, clock: ManualClock, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "fleetauth")
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        clock.advance(timedelta(milliseconds=event.get("wait_ms", 0)))  # nobody else lets the repetition leave

    told = {"token": "token-canary", "message": "key-canary secret-canary", "error": "secret-canary"}
    with fleetauth.observe(listen, runtime=runtime), fleetauth.log_events(runtime=runtime):
        client.report_rejected(client.token())
        for status in (503, 401):
            script.then_answer(answer(told, status))
        with pytest.raises(fleetauth.InvalidCredentials):
            client.token()
        client.logout()
    assert {"login", "rejected", "repeat", "failure", "logout"} <= set(names(events))
    assert len(caplog.records) == len(events)
    assert_no_canary(events, caplog.text, [vars(record) for record in caplog.records])


def test_L03_the_shared_runtime_s_events_hold_no_secret(script: Script) -> None:
    before = fleetauth.counters()
    events: list[Event] = []
    with fleetauth.observe(events.append), FleetUp(**CREDENTIALS, transport=script) as client:
        client.token()
    assert names(events) == ["request", "login"]
    assert_no_canary(events)
    assert fleetauth.counters()["login"] == before["login"] + 1
    Runtime.shared().close()


def test_what_an_observer_raises_is_logged_and_harms_nobody(client: FleetUp, runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    events: list[Event] = []

    def fail(event: Event) -> None:
        events.append(event)
        raise SystemExit("mine") if len(events) == 1 else LookupError("mine")

    others: list[Event] = []
    with fleetauth.observe(fail, runtime=runtime), fleetauth.observe(others.append, runtime=runtime):
        assert client.token().reveal() == "token-canary-1"
    assert events == others
    assert names(events) == ["request", "login"]
    raised = [record.exc_info[0] for record in caplog.records if record.name == "fleetauth" and record.exc_info]
    assert raised == [SystemExit, LookupError]
    caplog.clear()  # their tracebacks keep the observer


@pytest.mark.parametrize("hook", ["prints", "fails"])
def test_an_observer_survives_a_logger_that_raises(
    client: FleetUp, runtime: Runtime, hook: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[Event] = []
    filtered: list[Event] = []

    def fail(event: Event) -> None:
        events.append(event)
        raise LookupError("mine")

    def choose(record: logging.LogRecord) -> bool:
        filtered.append(record.fleetauth)
        raise OSError("the log is full")

    if hook == "fails":
        monkeypatch.setattr("sys.excepthook", lambda: None)  # takes no arguments
    logger = logging.getLogger("fleetauth")
    logger.addFilter(choose)
    with fleetauth.observe(fail, runtime=runtime):
        client.token()
    logger.removeFilter(choose)
    assert names(events) == ["request", "login"]
    assert filtered == events
    assert capsys.readouterr().err.count("OSError: the log is full") == (2 if hook == "prints" else 0)


def test_a_closed_observer_is_told_nothing_more(client: FleetUp, runtime: Runtime) -> None:
    events: list[Event] = []
    observer = fleetauth.observe(events.append, runtime=runtime)
    observer.close()
    observer.close()
    client.token()
    assert events == []
    assert "fleetauth-observer" not in [thread.name for thread in threading.enumerate()]


def test_an_observer_may_close_itself(client: FleetUp, runtime: Runtime) -> None:
    events: list[Event] = []

    def once(event: Event) -> None:
        events.append(event)
        observer.close()

    observer = fleetauth.observe(once, runtime=runtime)
    client.token()
    observer._thread.join()
    assert names(events)[:1] == ["request"]


def test_an_observer_ends_with_its_runtime(clock: ManualClock, script: Script) -> None:
    events: list[Event] = []
    runtime = Runtime(clock=clock)
    observer = fleetauth.observe(events.append, runtime=runtime)
    FleetUp(**CREDENTIALS, transport=script, runtime=runtime).token()
    runtime.close()
    observer._thread.join()
    assert names(events) == ["request", "login"]
    observer.close()
    with pytest.raises(fleetauth.Closed):
        fleetauth.observe(events.append, runtime=runtime)


def test_an_observer_that_takes_nothing_does_not_fill_the_memory(client: FleetUp, runtime: Runtime) -> None:
    events: list[Event] = []
    arrived, released = threading.Event(), threading.Event()

    def wait(event: Event) -> None:
        events.append(event)
        arrived.set()
        released.wait()

    token = client.token()
    with fleetauth.observe(wait, runtime=runtime):
        for _ in range(2500):
            client.report_rejected(token)
        arrived.wait()
        assert runtime.counters()["dropped"] >= 2500 - 1000 - 1
        released.set()
    counters = runtime.counters()
    assert len(events) + counters["dropped"] == counters["rejected"] == 2500


def test_an_observer_of_a_runtime_in_manual_mode(clock: ManualClock, script: Script) -> None:
    events: list[Event] = []
    with Runtime(clock=clock, mode="manual") as runtime, fleetauth.observe(events.append, runtime=runtime):
        FleetUp(**CREDENTIALS, transport=script, runtime=runtime).token()
    assert names(events) == ["request", "login"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fleetauth.observe(3), "callback must be callable, not int"),
        (lambda: fleetauth.observe(print, runtime="x"), "runtime must be a fleetauth.Runtime"),
        (lambda: aio.Events(runtime=3), "runtime must be a fleetauth.Runtime"),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(call: Callable[[], object], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        call()


# ---- logging


def test_events_are_logged_with_their_members(client: FleetUp, runtime: Runtime, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "mine")
    script.then_answer(answer({"error": "invalid_client"}, 401))
    with fleetauth.log_events(logging.getLogger("mine"), runtime=runtime), pytest.raises(fleetauth.InvalidCredentials):
        client.token()
    request, failure = caplog.records
    assert (request.name, request.levelname) == ("mine", "DEBUG")
    assert request.getMessage() == 'request provider="fleetup" step="token" origin="https://api.fleetup.net" attempt=1'
    assert (failure.name, failure.levelname) == ("mine", "WARNING")
    assert failure.getMessage().startswith('failure provider="fleetup" credential="jwt" status_name="E_INVALID_CREDENTIALS" message="')
    assert vars(failure)["fleetauth"]["http_status"] == 401


def test_what_the_logger_does_not_want_is_not_logged(
    client: FleetUp, runtime: Runtime, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fleetauth")
    script.then_answer(answer({"error": "invalid_client"}, 401))
    with fleetauth.log_events(runtime=runtime), pytest.raises(fleetauth.InvalidCredentials):
        client.token()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


# ---- asyncio


async def test_events_on_a_loop(runtime: Runtime) -> None:
    async with aio.Events(runtime=runtime) as events, aio.FleetUp(**CREDENTIALS, transport=Script(), runtime=runtime) as client:
        await client.token()
        assert (await anext(events))["event"] == "request"
        login = await anext(events)
        assert (login["event"], login["expires_in_ms"]) == ("login", 3_600_000)
        waiting = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        await client.logout()
        assert (await waiting)["event"] == "logout"


async def test_events_end_with_close_and_with_the_runtime(clock: ManualClock) -> None:
    runtime = Runtime(clock=clock)
    closed, left = aio.Events(runtime=runtime), aio.Events(runtime=runtime)
    async with aio.FleetUp(**CREDENTIALS, transport=Script(), runtime=runtime) as client:
        await client.token()
        closed.close()
        assert [event["event"] async for event in closed] == ["request", "login"]
        assert [event async for event in closed] == []
    runtime.close()
    assert [event["event"] async for event in left] == ["request", "login"]


async def test_a_wait_for_an_event_may_be_given_up(runtime: Runtime) -> None:
    async with aio.Events(runtime=runtime) as events:
        waiting = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with aio.FleetUp(**CREDENTIALS, transport=Script(), runtime=runtime) as client:
            await client.token()
        assert (await anext(events))["event"] == "request"


# ---- processes


def test_P01_an_observer_goes_on_in_a_forked_child(fleetauth_emulator: Emulator) -> None:
    output = run(
        fleetauth_emulator,
        """
mine = []
observer = fleetauth.observe(lambda event: mine.append(event['event']))
with client() as c:
    c.token()
    child = os.fork()
    if child == 0:
        try:
            mine.clear()
            c.logout()
            observer.close()
            told(mine)
            os._exit(0)
        except BaseException:
            import traceback; traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    observer.close()
    told(mine)
""",
    )
    assert output == "['logout']\n['request', 'login']\n"


def test_the_last_events_are_told_at_exit(fleetauth_emulator: Emulator) -> None:
    output = run(
        fleetauth_emulator,
        """
import atexit
leaving = threading.Event()
fleetauth.observe(lambda event: (leaving.wait(), told(event['event'])))
atexit.register(leaving.set)
client().token()
""",
    )
    assert output == "request\nlogin\n"


@pytest.mark.parametrize("first", ["parent", "child"])
def test_the_last_events_are_told_when_a_child_of_multiprocessing_ends(fleetauth_emulator: Emulator, first: str) -> None:
    output = run(
        fleetauth_emulator,
        f"""
import multiprocessing.util
def work():
    leaving = threading.Event()
    multiprocessing.util.Finalize(None, leaving.set, exitpriority=200)
    watch(leaving)
    client().token()
def watch(leaving):
    released.append(leaving)
    if {first!r} == 'child':
        fleetauth.observe(tell)
released = []
def tell(event):
    released[0].wait()
    told(event['event'])
if {first!r} == 'parent':
    fleetauth.observe(tell)
child = multiprocessing.get_context('fork').Process(target=work)
child.start()
child.join()
assert child.exitcode == 0
""",
    )
    assert output == "request\nlogin\n"


def test_observers_at_exit_have_one_second_together(fleetauth_emulator: Emulator) -> None:
    output = run(
        fleetauth_emulator,
        """
import atexit
busy = threading.Barrier(21)
begun = []
def leave():
    told('late' if time.monotonic() - begun[0] > 10 else 'in time')
atexit.register(leave)
def block(event):
    busy.wait()
    threading.Event().wait()
for _ in range(20):
    fleetauth.observe(block)
fleetauth.observe(lambda event: told(event['event']) if event['event'] == 'login' else None)
client().token()
busy.wait()
begun.append(time.monotonic())
""",
    )
    assert output == "login\nin time\n"


def test_P01_an_observer_that_cannot_start_again_does_not_stop_the_others(fleetauth_emulator: Emulator) -> None:
    output = run(
        fleetauth_emulator,
        """
from fleetauth import _observe
mine = []
observers = [fleetauth.observe(lambda event: mine.append(event['event'])) for _ in range(3)]
sys.excepthook = lambda kind, raised, where: told(repr(raised))
queue, failures = _observe.observing_queue, [MemoryError('mine')]
def scarce(runtime):
    if failures:
        raise failures.pop()
    return queue(runtime)
_observe.observing_queue = scarce
child = os.fork()
if child == 0:
    try:
        client().token()
        for observer in observers: observer.close()
        told(sorted(mine))
        os._exit(0)
    except BaseException:
        import traceback; traceback.print_exc()
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
    )
    assert output == "MemoryError('mine')\n['login', 'login', 'request', 'request']\n"


def test_P05_a_process_may_exit_while_an_observer_is_busy(fleetauth_emulator: Emulator) -> None:
    output = run(
        fleetauth_emulator,
        """
busy = threading.Event()
fleetauth.observe(lambda event: (busy.set(), threading.Event().wait()))
client().token()
busy.wait()
told('done')
""",
    )
    assert output == "done\n"


# ---- the example of the README


def test_the_readme_s_example(fleetauth_emulator: Emulator, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "fleetauth")
    section = README.read_text("utf-8").split("\n## Events and counters\n")[1].split("\n## ")[0]
    (example,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    with FleetUp(**fleetauth_emulator.options("fleetup")) as client:
        defined: dict[str, Any] = {"fleetauth": fleetauth, "client": client}
        exec(example, defined)
    for observer in list(_observe._open):
        observer.close()
    assert defined["seen"] == {("request", "fleetup"): 1, ("login", "fleetup"): 1}
    assert int(capsys.readouterr().out) == Runtime.shared().counters()["login"]
    assert [record.getMessage().split()[0] for record in caplog.records] == ["request", "login"]
    Runtime.shared().close()
