"""The asynchronous client over a scripted transport and a manual clock."""

import asyncio
from datetime import timedelta

import pytest
from support import CREDENTIALS, URL, Script, answer

import fleetauth
from fleetauth import HttpRequest, HttpResponse, Runtime, TransportError, aio
from fleetauth.testing import ManualClock


class Gate:
    """An asynchronous transport that answers when it is let."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.count = 0
        self.cancelled = False

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        self.count += 1
        self.arrived.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return answer({"token": f"token-canary-{self.count}"})


async def test_tokens_and_headers(runtime: Runtime, clock: ManualClock) -> None:
    script = Script()
    async with aio.FleetUp(**CREDENTIALS, transport=script, runtime=runtime) as client:
        assert client.peek() is None
        assert (await client.token()).reveal() == "token-canary-1"
        headers = await client.headers(URL)
        assert await client.headers(URL) is headers
        clock.advance(timedelta(hours=2))
        assert (await client.headers(URL))["Authorization"] == "Bearer token-canary-2"
    with pytest.raises(fleetauth.Closed):
        await client.token()


async def test_all_tasks_share_one_fetch(runtime: Runtime) -> None:
    gate = Gate()
    async with aio.FleetUp(**CREDENTIALS, transport=gate, runtime=runtime) as client:
        tasks = [asyncio.create_task(client.token()) for _ in range(1000)]
        await gate.arrived.wait()
        gate.open.set()
        assert {token.reveal() for token in await asyncio.gather(*tasks)} == {"token-canary-1"}
        assert gate.count == 1


async def test_cancelling_one_waiter_leaves_the_fetch_to_the_others(runtime: Runtime) -> None:
    gate = Gate()
    async with aio.FleetUp(**CREDENTIALS, transport=gate, runtime=runtime) as client:
        leaving, staying = asyncio.create_task(client.token()), asyncio.create_task(client.token())
        await gate.arrived.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.open.set()
        assert (await staying).reveal() == "token-canary-1"


async def test_a_waiter_s_patience_is_its_own(runtime: Runtime, clock: ManualClock) -> None:
    gate = Gate()
    async with aio.FleetUp(**CREDENTIALS, transport=gate, runtime=runtime) as client:
        hasty, patient = asyncio.create_task(client.token(timeout=1)), asyncio.create_task(client.token())
        await gate.arrived.wait()
        clock.advance(2)
        with pytest.raises(TimeoutError) as caught:
            await hasty
        assert isinstance(caught.value, fleetauth.TimeoutError)
        assert caught.value.status_name == "E_TIMEOUT"
        gate.open.set()
        assert (await patient).reveal() == "token-canary-1"


async def test_closing_ends_waiters_and_the_transport_s_call(runtime: Runtime) -> None:
    gate = Gate()
    client = aio.FleetUp(**CREDENTIALS, transport=gate, runtime=runtime)
    task = asyncio.create_task(client.token())
    await gate.arrived.wait()
    await client.aclose()
    await client.aclose()
    with pytest.raises(fleetauth.Closed):
        await task
    while not gate.cancelled:
        await asyncio.sleep(0)


async def test_the_host_s_own_exception_comes_out_unchanged(runtime: Runtime) -> None:
    mine = LookupError("mine")

    async def fail(request: HttpRequest) -> HttpResponse:
        raise mine

    async with aio.FleetUp(**CREDENTIALS, transport=fail, runtime=runtime) as client:
        with pytest.raises(LookupError) as caught:
            await client.token()
    assert caught.value is mine


async def test_a_stop_iteration_of_the_host_s_is_told_as_coroutines_tell_it(runtime: Runtime) -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise StopIteration("mine")

    async with aio.FleetUp(**CREDENTIALS, transport=fail, runtime=runtime) as client:
        with pytest.raises(RuntimeError) as caught:
            await client.token()
    assert isinstance(caught.value.__cause__, StopIteration)


@pytest.mark.parametrize("failure", ["dns", "connect", "tls", "proxy"])
async def test_the_network_s_failures_have_their_class(runtime: Runtime, failure: str, clock: ManualClock) -> None:
    async def fail(request: HttpRequest) -> HttpResponse:
        clock.advance(60)  # no time for another attempt
        raise TransportError(failure)  # type: ignore[arg-type]

    async with aio.FleetUp(**CREDENTIALS, transport=fail, runtime=runtime) as client:
        with pytest.raises((fleetauth.NetworkError, fleetauth.TimeoutError)):
            await client.token()


async def test_a_token_is_renewed_in_the_background_while_it_is_served(runtime: Runtime, clock: ManualClock) -> None:
    script = Script()
    async with aio.FleetUp(**CREDENTIALS, transport=script, runtime=runtime) as client:
        await client.token()
        clock.advance(timedelta(minutes=58))
        assert (await client.token()).reveal() == "token-canary-1"
        while len(script.requests) < 2:
            await asyncio.sleep(0)
        while (token := client.peek()) is None or token.reveal() != "token-canary-2":
            await asyncio.sleep(0)


def test_one_client_serves_loop_after_loop(runtime: Runtime) -> None:
    client = aio.FleetUp(**CREDENTIALS, transport=Script(), runtime=runtime)

    async def ask() -> str:
        client_headers = await client.headers(URL)
        return client_headers["Authorization"]

    assert asyncio.run(ask()) == asyncio.run(ask()) == "Bearer token-canary-1"
    client.close()


def test_a_loop_that_ends_with_a_waiter_takes_nothing_with_it(runtime: Runtime) -> None:
    async def abandon() -> None:
        gate = Gate()
        client = aio.FleetUp(**CREDENTIALS, transport=gate, runtime=runtime)
        task = asyncio.create_task(client.token())
        await gate.arrived.wait()
        assert not task.done()

    asyncio.run(abandon())
    with fleetauth.FleetUp(**{**CREDENTIALS, "acct_id": 9}, transport=Script(), runtime=runtime) as client:
        assert client.token().reveal() == "token-canary-1"
