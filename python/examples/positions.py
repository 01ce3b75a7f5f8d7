"""Asks for the positions of FleetUp and for myConnectedFleet's vehicles at the same time, with asyncio and httpx."""

import asyncio
import os

import httpx

import fleetauth.httpx
from fleetauth import aio


async def get(client: aio.Client, url: str) -> object:
    async with httpx.AsyncClient(auth=fleetauth.httpx.Auth(client)) as http:
        response = await http.get(url)
        response.raise_for_status()
        return response.json()


async def main() -> None:
    fleetup = aio.FleetUp(
        api_key=os.environ["FLEETUP_API_KEY"], acct_id=int(os.environ["FLEETUP_ACCT_ID"]), secret=os.environ["FLEETUP_SECRET"]
    )
    connected = aio.MyConnectedFleet(
        client_id=os.environ["MY_CONNECTED_FLEET_CLIENT_ID"], client_secret=os.environ["MY_CONNECTED_FLEET_CLIENT_SECRET"]
    )
    customer = os.environ["MY_CONNECTED_FLEET_CUSTOMER"]
    live = f"https://api.masternautconnect.com/connect-webservices/services/public/v1/customer/{customer}/tracking/live"
    async with fleetup, connected:
        for answer in await asyncio.gather(get(fleetup, "https://api.fleetup.net/gpsdata"), get(connected, live)):
            print(answer)


if __name__ == "__main__":
    asyncio.run(main())
