// Headers from memory beside a Map in plain JavaScript. Prints lines for scripts/bench.sh.
import { createRequire } from 'node:module';

const { FleetUp } = createRequire(import.meta.url)('../dist/index.js');

const ROUNDS = 15;
const CALLS = 100_000;
const ORIGIN = 'https://api.fleetup.net';

/** What one writes without a library: the headers of each URL with the instant until which they are good. */
class PlainCache {
  #goodUntil = Date.now() + 3_600_000;
  #byUrl;

  constructor(urls) {
    const headers = { Authorization: `Bearer ${'t'.repeat(900)}`, 'x-api-key': 'bench-api-key' };
    this.#byUrl = new Map(urls.map((url) => [url, { ...headers }]));
  }

  peek(url) {
    return Date.now() < this.#goodUntil ? this.#byUrl.get(url) : undefined;
  }
}

/** Nanoseconds of CPU time a call. JavaScript has no clock of the thread's: the process has no other busy thread here. */
function cost(cache, urls) {
  const begin = process.cpuUsage();
  let found = 0;
  for (let call = 0; call < CALLS; ++call) found += cache.peek(urls[call % urls.length]) ? 1 : 0;
  const { user, system } = process.cpuUsage(begin);
  if (found !== CALLS) throw new Error('headers were not in memory');
  return ((user + system) * 1000) / CALLS;
}

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.round(share * (values.length - 1))];

function compare(figure, client, urls) {
  const plain = new PlainCache(urls);
  for (let warm = 0; warm < 5; ++warm) {
    cost(client, urls);
    cost(plain, urls);
  }
  const ours = [];
  const reference = [];
  for (let round = 0; round < ROUNDS; ++round) {
    if (round % 2 === 0) ours.push(cost(client, urls));
    reference.push(cost(plain, urls));
    if (round % 2 === 1) ours.push(cost(client, urls));
  }
  const ratios = ours.map((value, round) => value / reference[round]);
  const medians = `${quantile(ours, 0.5).toFixed(0)} ns\t${quantile(reference, 0.5).toFixed(0)} ns`;
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
  console.log(`${figure}\t-\t${medians}\t${middle} x\t${low}..${high}`);
}

const client = new FleetUp({
  apiKey: 'bench-api-key',
  acctId: 12345,
  secret: 'bench-secret',
  transport: () => ({
    status: 200,
    headers: [['Content-Type', 'application/json']],
    body: JSON.stringify({ token: 't'.repeat(900) }),
  }),
});
await client.token();
compare('Node: peek, one URL / Map', client, [`${ORIGIN}/devices`]);
compare(
  'Node: peek, 1,000 URLs / Map',
  client,
  Array.from({ length: 1000 }, (_, i) => `${ORIGIN}/devices/${i}`),
);
await client.close();
