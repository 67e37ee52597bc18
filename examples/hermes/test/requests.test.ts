import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KEY, ask, book, redis } from './pods.js';

test('roles go to PS as numbers, also those that other pods have locked as numbers', async () => {
  const asked: unknown[] = [];
  const rules = book.rules;
  book.rules = (...args) => {
    asked.push(args[2]);
    return rules.apply(book, args);
  };
  try {
    const queryTime = new Date(Date.now() - 1000).toISOString();
    await redis.set(KEY, JSON.stringify({ roleIds: [7, 30], queryTime }), 'PX', 30_000);
    assert.deepEqual((await ask('GET', '/scooters/4001')).body.roleIds, ['7', '30']);
    assert.deepEqual(asked, [['7', '30']]);
    await redis.set(KEY, JSON.stringify({ roleIds: ['admin'], queryTime }), 'PX', 30_000);
    assert.equal((await ask('GET', '/scooters/4001')).status, 503, 'not as role 0');
    assert.equal(asked.length, 1);
  } finally {
    book.rules = rules;
  }
});

test('a request that can not be answered is told what it should have been', async () => {
  const cases: [method: 'GET' | 'POST' | 'PATCH', path: string, body: Record<string, unknown> | string, said: RegExp][] = [
    ['GET', '/scooters?area=-1', {}, /^area takes a number/],
    ['GET', '/scooters/', {}, /^id takes 1 to 64 letters/],
    ['GET', '/scooters/a%20b', {}, /^id takes 1 to 64 letters/],
    ['GET', '/scooters/4001?planId=', {}, /^planId takes 1 to 64 letters/],
    ['GET', '/scooters/4001?planId=_old', {}, /^planId takes the id of a plan/],
    ['GET', `/scooters/4001?queryTime=${'0'.repeat(65)}`, {}, /^queryTime takes a text/],
    ['POST', '/rents', { vehicleId: '4001' }, /^planId takes/],
    ['POST', '/rents', { vehicleId: '4001', planId: '_old' }, /^planId takes/],
    ['POST', '/rents', { vehicleId: 4001, planId: '571' }, /^vehicleId takes/],
    ['POST', '/rents', { vehicleId: '4001', planId: '571', queryTime: 1 }, /^queryTime takes a text/],
    ['POST', '/rents', '', /^vehicleId takes/],
    ['POST', '/rents', '{"vehicleId"', /^the body is not JSON$/],
    ['POST', '/rents', '[]', /^the body is no object$/],
    ['POST', '/rents', { planId: 'x'.repeat(16 * 1024) }, /^the body is longer than 16384 bytes$/],
    ['GET', '/parking-lots/a%20b', {}, /^id takes 1 to 64 letters/],
    ['PATCH', '/rents/r1', { step: 'pay' }, /^step takes/],
    ['PATCH', `/rents/${'r'.repeat(1000)}`, { step: 'start' }, /^id takes 1 to 64 letters/],
  ];
  for (const [method, path, body, message] of cases) {
    const answer = await ask(method, path, body);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.error, message, path);
  }
  assert.match((await ask('GET', '/scooters', {}, 0, '')).body.error, /^x-user-id takes/);
  assert.match((await ask('GET', '/scooters', {}, 0, 'ann', '3,admin')).body.error, /^x-role-ids takes numbers/);
});

test('there is nothing beside the screens', async () => {
  const nothing = { status: 404, body: { error: 'there is nothing here' } };
  assert.deepEqual(await ask('GET', '/nothing'), nothing);
  assert.deepEqual(await ask('GET', '/scooters/4001/price'), nothing);
  assert.deepEqual(await ask('POST', '/scooters/4001'), nothing);
  assert.deepEqual(await ask('PATCH', '/rents'), nothing);
});
