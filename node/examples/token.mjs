// Gets a FleetUp token: FLEETUP_API_KEY=… FLEETUP_ACCT_ID=… FLEETUP_SECRET=… node token.mjs
import { FleetUp } from 'fleetauth';

const client = new FleetUp({
  apiKey: process.env.FLEETUP_API_KEY,
  acctId: Number(process.env.FLEETUP_ACCT_ID),
  secret: process.env.FLEETUP_SECRET,
  baseUrl: process.env.FLEETUP_BASE_URL,
  caFile: process.env.FLEETUP_CA_FILE,
});
console.log(String(await client.token()));
await client.close();
