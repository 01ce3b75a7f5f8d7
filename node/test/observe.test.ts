import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import * as fleetauth from 'fleetauth';
import { Closed, counters, FleetUp, InvalidCredentials, ManualClock, observe, Runtime } from 'fleetauth';
import type { FleetAuthEvent, FleetUpOptions, HttpAnswer, Observer } from 'fleetauth';
import { liveHandles } from 'fleetauth/testing';
import * as typescript from 'typescript';

import { FLEETUP, handlesBackTo, rejection, until, useEmulator } from './support';

const fixture = useEmulator();
const PACKAGE = JSON.stringify(require.resolve('fleetauth'));
const START = 1_767_225_600_000;
const SECRETS = ['canary-api-key', 'canary-secret', 'canary-token'];
const ORIGIN = 'https://api.fleetup.net';

function json(status: number, body: object): HttpAnswer {
  return { status, headers: [['content-type', 'application/json']], body: JSON.stringify(body) };
}

/** A FleetUp whose provider gives these answers, and then tokens. */
function scripted(options: Partial<FleetUpOptions>, ...answers: HttpAnswer[]): FleetUp {
  const transport = () => answers.shift() ?? json(200, { token: 'canary-token' });
  return new FleetUp({ apiKey: 'canary-api-key', acctId: 1, secret: 'canary-secret', transport, ...options });
}

function names(events: FleetAuthEvent[]): string[] {
  return events.map(({ event }) => event);
}

describe('an observer', () => {
  test('is told what happens from then on, until it is closed', async () => {
    const clock = new ManualClock(START);
    await using runtime = new Runtime({ clock });
    await using client = scripted({ runtime });
    await client.token();
    clock.advance(7_200_000);
    const events: FleetAuthEvent[] = [];
    const observer = observe((event) => events.push(event), { runtime });
    const token = await client.token();
    await observer.close();
    client.reportRejected(token);
    const always = { time_ms: START + 7_200_000, level: 'debug', provider: 'fleetup' };
    const [request, login] = events;
    assert.deepEqual(request, { ...always, event: 'request', step: 'token', origin: ORIGIN, attempt: 1 });
    assert.deepEqual(login, {
      ...always,
      event: 'login',
      credential: 'jwt',
      generation: login?.generation,
      expires_in_ms: 3_600_000,
    });
    assert.equal(events.length, 2);
    await observer.close();
  });

  test('L03 is told no secret, whatever the provider answers', async () => {
    const clock = new ManualClock(START);
    await using runtime = new Runtime({ clock });
    const told = { token: 'canary-token', message: 'canary-api-key canary-secret', error: 'canary-secret' };
    const events: FleetAuthEvent[] = [];
    const observer = observe(
      (event) => {
        events.push(event);
        clock.advance(event.wait_ms ?? 0); // nobody else lets the repetition leave
      },
      { runtime },
    );
    await using client = scripted({ runtime }, json(200, { token: 'canary-token' }), json(503, told), json(401, told));
    assert.equal(client.reportRejected(await client.token()), 'retry');
    assert.ok((await rejection(client.token())) instanceof InvalidCredentials);
    await client.logout();
    await observer.close();
    assert.deepEqual(names(events), [
      'request',
      'login',
      'rejected',
      'request',
      'repeat',
      'request',
      'failure',
      'logout',
    ]);
    for (const secret of SECRETS) assert.ok(!JSON.stringify(events).includes(secret), secret);
    const failure = events[6];
    assert.ok(failure?.event === 'failure' && failure.level === 'warning');
    assert.equal(failure.status_name, 'E_INVALID_CREDENTIALS');
    assert.equal(failure.http_status, 401);
    assert.equal(failure.retryable, false);
  });

  test('L03 of the shared runtime is told no secret', async () => {
    const before = counters();
    const events: FleetAuthEvent[] = [];
    await using client = scripted({ acctId: 2 });
    const observer = observe((event) => events.push(event));
    await client.token();
    await observer.close();
    assert.deepEqual(names(events), ['request', 'login']);
    for (const secret of SECRETS) assert.ok(!JSON.stringify(events).includes(secret), secret);
    assert.equal(counters().login, before.login + 1);
  });

  test('that throws harms nobody: what it throws is an uncaught exception', () => {
    const program = `
      const { FleetUp, observe } = require(${PACKAGE});
      const caught = [];
      process.on('uncaughtException', (error) => caught.push(error.message));
      const transport = () => ({ status: 200, headers: [['content-type', 'application/json']], body: '{"token":"t"}' });
      const client = new FleetUp({ apiKey: 'k', acctId: 1, secret: 's', transport });
      const first = observe(({ event }) => { throw new Error('mine ' + event); });
      const others = [];
      const second = observe(({ event }) => others.push(event));
      client.token()
        .then(() => Promise.all([first.close(), second.close(), client.close()]))
        .then(() => setImmediate(() => console.log(caught.join(), others.join())));`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.deepEqual(
      { stdout, stderr, status },
      { stdout: 'mine request,mine login request,login\n', stderr: '', status: 0 },
    );
  });

  test('does not keep the process alive, nor does one that nobody keeps end', () => {
    const options = JSON.stringify({ ...FLEETUP, ...fixture.emulator.options('fleetup') });
    const program = `
      const { FleetUp, observe } = require(${PACKAGE});
      observe(({ event }) => console.log(event));
      globalThis.gc();
      new FleetUp(${options}).token();`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'request\nlogin\n', stderr: '', status: 0 });
  });

  test('ends with its runtime and leaves nothing behind', async () => {
    const count = liveHandles();
    const events: FleetAuthEvent[] = [];
    {
      const runtime = new Runtime();
      const observer = observe((event) => events.push(event), { runtime });
      const client = scripted({ runtime });
      await client.token();
      await runtime.close();
      await observer.close();
      await client.close();
      assert.throws(() => observe(() => undefined, { runtime }), Closed);
    }
    assert.deepEqual(names(events), ['request', 'login']);
    await handlesBackTo(count);
  });

  test('may close itself', async () => {
    await using runtime = new Runtime();
    await using client = scripted({ runtime });
    const events: FleetAuthEvent[] = [];
    const observer = observe(
      (event) => {
        events.push(event);
        void observer.close();
      },
      { runtime },
    );
    await client.token();
    await observer.close();
    await client.logout();
    assert.ok(!names(events).includes('logout'));
  });

  test('whose event loop is busy does not fill the memory', async () => {
    await using runtime = new Runtime();
    await using client = scripted({ runtime });
    const token = await client.token();
    const events: FleetAuthEvent[] = [];
    const observer = observe((event) => events.push(event), { runtime });
    for (let n = 0; n < 2500; ++n) client.reportRejected(token);
    await observer.close();
    assert.equal(events.length, 1000);
    const counted = runtime.counters();
    assert.deepEqual({ rejected: counted.rejected, dropped: counted.dropped }, { rejected: 2500, dropped: 1500 });
  });

  test('in a worker is told what the others do', async () => {
    const worker = new Worker(
      `const { observe } = require(${PACKAGE});
       const { parentPort } = require('node:worker_threads');
       observe(({ event }) => parentPort.postMessage(event));
       parentPort.postMessage('listens');
       setInterval(() => undefined, 1000);`,
      { eval: true },
    );
    const told: string[] = [];
    worker.on('message', (event: string) => told.push(event));
    await until(() => told.includes('listens'), 'the worker');
    await using client = scripted({ acctId: 3 });
    await client.token();
    await until(() => told.length === 3, 'its events');
    await worker.terminate();
    assert.deepEqual(told, ['listens', 'request', 'login']);
  });

  test('has to be a function, and its runtime a runtime', () => {
    assert.throws(() => observe('x' as unknown as () => void), /listener must be a function/);
    assert.throws(
      () => observe(() => undefined, { runtime: 'x' as unknown as Runtime }),
      /option runtime must be a Runtime/,
    );
  });
});

test('the example of the README', async () => {
  const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
  const example = /\n## Events and counters\n.*?```ts\n(.*?)```/s.exec(readme)?.[1];
  assert.ok(example, 'README.md has the example');
  const compilerOptions = { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022 };
  const { outputText } = typescript.transpileModule(example, { compilerOptions });
  const logged: unknown[] = [];
  const console = {
    debug: ({ event }: FleetAuthEvent) => logged.push(event),
    warn: ({ message }: FleetAuthEvent) => logged.push(message),
    log: (count: number) => logged.push(count),
  };
  const AsyncFunction = (async () => {
    await Promise.resolve();
  }).constructor as new (...text: string[]) => (...given: unknown[]) => Promise<Observer>;
  const run = new AsyncFunction('require', 'exports', 'console', 'client', `${outputText}; return observer;`);
  await using client = fixture.fleetUp();
  const observer = await run(() => fleetauth, {}, console, client);
  assert.deepEqual(logged, ['request', 'login', counters().login]);
  await fixture.emulator.faults({ match: { path: '/fleetup/token' }, times: 1, do: { status: 401 } });
  client.reportRejected(await client.token());
  await rejection(client.token());
  await observer.close();
  assert.match(String(logged.at(-1)), /^fleetup: .* credentials were refused/);
});
