import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { LockedQuoteInfo, Outage } from 'quotelock';

import { addScreens } from '../api/screens.js';
import { jsonServer } from '../api/server.js';
import { startRedis } from '../launch/redis.js';
import { Stage } from '../launch/stage.js';
import { Fleet } from '../service/fleet.js';
import { type Quote, Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import type { UpstreamClient } from '../upstream/client.js';
import { NO_FAULTS } from '../upstream/faults.js';
import { COPY_BYTES, TOGGLE, ask, clients, priceOf, redis, timing, upstream, use } from './pods.js';

test('where upstream does not answer, nothing is answered and nothing is kept', async () => {
  upstream.faults = { ...NO_FAULTS, failShare: 1 };
  try {
    const answer = await ask('GET', '/scooters/4001');
    assert.deepEqual(answer, { status: 503, body: { error: 'no price can be had now, ask again' } });
  } finally {
    upstream.faults = NO_FAULTS;
  }
  assert.deepEqual(await redis.keys('hermes:tags:*'), []);
  assert.equal((await ask('GET', '/scooters/4001')).status, 200);
  assert.equal((await ask('GET', '/scooters/4999')).status, 404);
});

test('while Redis is down a screen goes on with upstream, and says so', async () => {
  const own = new Stage();
  const server = await startRedis(own, timing);
  const impatient = connect({ port: server.port }, { maxRetriesPerRequest: 1, commandTimeout: 2000 });
  const changes: boolean[] = [];
  const outage = new Outage({ pauseMs: 200, onChange: (isOn) => changes.push(isOn) });
  class Locks extends LockedQuoteInfo {}
  Locks.bind(impatient);
  const store = new QuotelockStore(impatient, timing, outage, COPY_BYTES, new Locks());
  const quotes = new Quotes(store, clients[0] as UpstreamClient, '3');
  const pod = jsonServer('pod-0');
  addScreens(pod, new Fleet(400), () => ({ quotes, rents: new Rents(quotes, store.rents), upstream: quotes.upstream }));
  use([pod]);
  try {
    await impatient.set(TOGGLE, '2');
    const map: Quote = (await ask('GET', '/scooters?area=0')).body;
    assert.deepEqual([map.unlocked, map.pricing], [false, 'Core']);
    const seen = `queryTime=${map.queryTime}&planId=571`;
    for (const failure of ['SIGSTOP', 'SIGKILL'] as const) {
      server.child.kill(failure);
      const page: Quote = (await ask('GET', `/scooters/4001?${seen}`)).body;
      assert.deepEqual([page.unlocked, page.newQuote, page.queryTime], [true, false, map.queryTime], failure);
      assert.deepEqual(priceOf(page, '4001'), priceOf(map, '4001'), 'the price that was seen, as the roles are the same');
      const first: Quote = (await ask('GET', '/scooters', {}, 0, 'bob')).body;
      assert.deepEqual([first.unlocked, first.pricing, first.scooters.length], [true, 'Core', 400], failure);
      const order = { vehicleId: '4001', planId: '571', queryTime: map.queryTime };
      const refused = await ask('POST', '/rents', order);
      assert.deepEqual(refused, { status: 503, body: { error: 'no rent can be kept now, ask again' } }, failure);
    }
    await startRedis(own, timing, { port: server.port });
    for (const since = Date.now(); outage.isOn && Date.now() - since < 5000; await sleep(50)) await ask('GET', '/scooters/4001');
    const again: Quote = (await ask('GET', `/scooters/4001?${seen}`)).body;
    assert.deepEqual([again.unlocked, again.state], [false, 'Effective']);
    assert.deepEqual(changes, [true, false]);
  } finally {
    impatient.disconnect();
    await own.stop();
  }
});
