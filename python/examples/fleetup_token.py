"""Gets a FleetUp token: FLEETUP_API_KEY=… FLEETUP_ACCT_ID=… FLEETUP_SECRET=… python fleetup_token.py"""

import os

import fleetauth

with fleetauth.FleetUp(
    api_key=os.environ["FLEETUP_API_KEY"],
    acct_id=int(os.environ["FLEETUP_ACCT_ID"]),
    secret=os.environ["FLEETUP_SECRET"],
    base_url=os.environ.get("FLEETUP_BASE_URL"),
    ca_file=os.environ.get("FLEETUP_CA_FILE"),
) as client:
    print(client.token())
