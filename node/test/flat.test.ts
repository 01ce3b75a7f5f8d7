import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Client } from 'fleetauth';
import { liveHandles } from 'fleetauth/testing';

import { native } from '#dist/load';
import { EventKind, QueueKind } from '#dist/gen/native';
import type { NativeClient, NativeOptions } from '#dist/gen/native';
import { Status } from '#dist/gen/errors';
import { FLEETUP, handlesBackTo } from './support';

new Client('fleetup', FLEETUP); // connects the addon to the errors and the event loop
const addon = native();

function client(runtime = addon.Runtime.shared()): NativeClient {
  const options = addon.Options.create();
  options.setText('api_key', 'k');
  options.setText('base_url', 'https://127.0.0.1:9');
  options.setI64('acct_id', 1);
  options.setBytes('secret', Buffer.from('s'));
  return addon.Client.create(runtime, addon.Provider.builtin('fleetup'), options);
}

/** For a runtime that sends nothing by itself. */
function manual() {
  const options = addon.Options.create();
  options.setText('mode', 'manual');
  return options;
}

describe('arguments', () => {
  test('of the wrong type are refused by name', () => {
    const wrong = (value: unknown) => value as never;
    const options = addon.Options.create();
    assert.throws(() => {
      options.setText(wrong(1), 'x');
    }, /Options\.setText: name must be a string/);
    assert.throws(() => {
      options.setI64('n', wrong('1'));
    }, /value must be an integer/);
    assert.throws(() => {
      options.setI64('n', 1.5);
    }, /integer/);
    assert.throws(() => {
      options.setI64('n', NaN);
    }, /integer/);
    assert.throws(() => {
      options.setI64('n', Infinity);
    }, /integer/);
    assert.throws(() => {
      options.setI64('n', 2 ** 60);
    }, /integer/);
    assert.throws(() => {
      options.setBytes('n', wrong('text'));
    }, /value must be a Uint8Array/);
    assert.throws(() => {
      options.setBytes('n', wrong(new Uint16Array(2)));
    }, /Uint8Array/);
    assert.throws(() => addon.Runtime.create(wrong({}), null), /options must be a Options/);
    assert.throws(() => addon.Runtime.create(wrong(addon.Clock.manualNew(0)), null), /options must be a Options/);
    assert.throws(() => addon.Provider.builtin(wrong(undefined)), TypeError);
  });

  test('P12 that are objects of ours in the wrong place are refused', () => {
    const options = addon.Options.create();
    const peek = client().peek.bind(options as unknown as NativeClient);
    assert.throws(() => peek(null, null, null), TypeError);
    const release = addon.Clock.manualNew(0).release.bind(options);
    assert.throws(release, TypeError);
    options.setText('still', 'usable');
  });

  test('P11 that were released are refused', () => {
    const options = addon.Options.create();
    options.release();
    options.release();
    assert.throws(() => {
      options.setText('a', 'b');
    }, /was released/);
    assert.throws(() => addon.Runtime.create(options, null), /options was released/);
  });

  test('cannot be made by the constructor of a class', () => {
    const empty = new (addon.Options as unknown as new () => NativeOptions)();
    assert.throws(() => {
      empty.setText('a', 'b');
    }, /was released/);
  });

  test('of text keep every character', () => {
    const text = 'naïve \u{1F600} \0 end';
    assert.throws(
      () => addon.Provider.fromJson('{}', text),
      (error: Error) => error.message.includes('naïve \u{1F600}'),
    );
  });
});

describe('the API description', () => {
  test('is the one that the addon was built from', () => {
    assert.equal(addon.statusName(Status.E_RATE_LIMITED), 'E_RATE_LIMITED');
    assert.equal(addon.statusName(999), 'E_UNKNOWN');
    assert.equal(addon.hasFeature('flow.exchange'), 1);
    assert.equal(addon.hasFeature('no.such.feature'), 0);
    assert.match(addon.version() ?? '', /^\d+\.\d+\.\d+$/);
    assert.match(addon.dependencies() ?? '', /OpenSSL/i);
  });
});

describe('collection', () => {
  test('may come in every order', async () => {
    globalThis.gc?.();
    const before = liveHandles();
    const makers = ['runtime', 'client', 'queue', 'op'] as const;
    for (const order of permutations([...makers])) {
      let held: Record<string, { release(): void }> | undefined = (() => {
        const runtime = addon.Runtime.create(null, null);
        const one = client(runtime);
        const queue = addon.Queue.create(runtime, QueueKind.LOOP);
        const op = one.start(null, null, null, queue, 7);
        one.close();
        return { runtime, client: one, queue, op };
      })();
      for (const name of order) held[name]?.release();
      held = undefined;
    }
    await handlesBackTo(before);
  });

  test('of unreleased objects happens by itself', async () => {
    globalThis.gc?.();
    const before = liveHandles();
    for (let round = 0; round < 100; ++round) client();
    await handlesBackTo(before);
  });
});

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}

describe('the generation words', () => {
  test('of a slab are shared memory, also in several workers', async () => {
    const memory = addon.slotWords(0);
    assert.ok(memory === null || memory instanceof ArrayBuffer);
    assert.equal(addon.slotWords(1 << 20), null);
    assert.equal(addon.slotWord(-1), 0);
    assert.equal(addon.slotWord(2 ** 40), 0);
    const code = `
      const { native } = require(${JSON.stringify(require.resolve('#dist/load'))});
      const memory = native().slotWords(0);
      require('node:worker_threads').parentPort.postMessage(memory === null ? null : memory.byteLength);`;
    const sizes = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise((resolve, reject) => {
            new Worker(code, { eval: true }).once('message', resolve).once('error', reject);
          }),
      ),
    );
    assert.deepEqual(
      sizes,
      sizes.map(() => (memory === null ? null : 4096)),
    );
  });
});

test('events come in order, the last one says that the queue is closed', () => {
  const runtime = addon.Runtime.create(manual(), null);
  const queue = addon.Queue.create(runtime, QueueKind.LOOP);
  const one = client(runtime);
  const op = one.start(null, null, null, queue, 42);
  op.cancel();
  op.cancel();
  queue.close();
  const kinds: [number, number][] = [];
  for (;;) {
    const event = queue.next(1000);
    assert.ok(event);
    kinds.push([event.kind(), event.tag()]);
    if (event.kind() === EventKind.CLOSED) break;
    assert.throws(
      () => event.token(),
      (error: { code?: string }) => error.code === 'FLEETAUTH_E_CANCELLED',
    );
  }
  assert.deepEqual(kinds, [
    [EventKind.TOKEN, 42],
    [EventKind.CLOSED, 0],
  ]);
  assert.throws(
    () => queue.next(0),
    (error: { code?: string }) => error.code === 'FLEETAUTH_E_CLOSED',
  );
  runtime.close(0);
});
