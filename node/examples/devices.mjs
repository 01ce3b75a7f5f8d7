// Asks the emulator's FleetUp for its devices, survives a revoked token, and lets a thousand callers share one login.
// After `npm test` has built everything: node examples/devices.mjs
import { FleetUp } from 'fleetauth';
import { Emulator } from 'fleetauth/testing';

// Over plain HTTP, so that this example's fetch need not be told the emulator's certificate authority.
const emulator = await Emulator.start({ http: true });
const account = { apiKey: 'demo-api-key', acctId: 12345, secret: 'your-app-secret' };
const client = new FleetUp({ ...account, ...emulator.options('fleetup') });
try {
  const tokens = await Promise.all(Array.from({ length: 1000 }, () => client.token()));
  const logins = async () => (await emulator.log({ endpoint: '/fleetup/token' })).length;
  console.log(`${tokens.length} callers, ${await logins()} login, ${String(tokens[0])}`);

  const url = `${emulator.baseUrl('fleetup')}/devices`;
  console.log(`GET /devices: ${(await client.fetch(url)).status}`);

  await emulator.admin('POST', '/revoke', { provider: 'fleetup' });
  console.log(`after the token was revoked: ${(await client.fetch(url)).status}, ${await logins()} logins`);
} finally {
  await client.close();
  await emulator.stop();
}
