"""Lists FleetUp's devices: FLEETUP_API_KEY=… FLEETUP_ACCT_ID=… FLEETUP_SECRET=… python devices.py"""

import os
import sys

import requests

import fleetauth

URL = os.environ.get("FLEETUP_BASE_URL", "https://api.fleetup.net")


def main() -> None:
    client = fleetauth.FleetUp(
        api_key=os.environ["FLEETUP_API_KEY"],
        acct_id=int(os.environ["FLEETUP_ACCT_ID"]),
        secret=os.environ["FLEETUP_SECRET"],
        base_url=os.environ.get("FLEETUP_BASE_URL"),
        ca_file=os.environ.get("FLEETUP_CA_FILE"),
    )
    with client, requests.Session() as session:
        session.auth = client
        response = session.get(f"{URL}/devices", timeout=10)
        response.raise_for_status()
        for device in response.json()["data"]:
            print(device["devId"])
        print(f"authorised by {client.token()}", file=sys.stderr)


if __name__ == "__main__":
    main()
