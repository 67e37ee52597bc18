// What copies take of a process's memory, and which go when there is no room.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { type Changes, PriceTableCopies } from 'quotelock';

import { FeignedServer, group } from './feigned.js';

/** Rows whose copy takes the same each time. */
const TEN = group(Object.fromEntries(Array.from({ length: 10 }, (_, id) => [id, 'x'])));

describe('the memory of copies', () => {
  const server = new FeignedServer();

  async function read(copies: PriceTableCopies, key: string, changes: Partial<Changes> = {}): Promise<string> {
    const call = copies.of(key).row(1);
    const [, , revision = ''] = await server.answer(changes);
    await call;
    return revision;
  }

  async function bytesOfTen(): Promise<number> {
    const copies = new PriceTableCopies(server.driver, { maxBytes: 1e6 });
    await read(copies, 't', { groups: [TEN] });
    return copies.bytes;
  }

  it('is counted by what their rows are', async () => {
    const copies = new PriceTableCopies(server.driver, { maxBytes: 1e6 });
    const ten = await bytesOfTen();
    assert.ok(ten > 1000 && ten < 3000, String(ten));
    await read(copies, 't', { groups: [TEN] });
    await read(copies, 't', { groups: [TEN] });
    assert.equal(copies.bytes, ten);
    await read(copies, 't', { groups: [group({ 1: 'x'.repeat(1001) })] });
    assert.equal(copies.bytes, ten + 1000);
    await read(copies, 't', { groups: [group({ 1: 'x', 2: 'x' }, 50)] });
    assert.ok(copies.bytes > ten);
    await read(copies, 't', { deleted: ['1', '99'] });
    await read(copies, 't', { now: 50 });
    assert.equal(copies.bytes, (ten / 10) * 8);
    await read(copies, 'other', { groups: [TEN] });
    assert.equal(copies.bytes, (ten / 10) * 18);
    await read(copies, 't', { whole: true, groups: [group({ 1: 'x' })] });
    assert.equal(copies.bytes, (ten / 10) * 11);
  });

  it('is none for tables that are gone', async () => {
    const copies = new PriceTableCopies(server.driver, { maxBytes: 1e6 });
    assert.equal(await read(copies, 'none', { revision: '0' }), '0');
    assert.equal(copies.size, 0);
    await read(copies, 't', { groups: [TEN] });
    await read(copies, 't', { revision: '0', whole: true });
    assert.deepEqual([copies.bytes, copies.size], [0, 0]);
    assert.equal(await read(copies, 't', { groups: [TEN] }), '0');
  });

  it('is bounded: those not used for the longest time go first', async () => {
    const ten = await bytesOfTen();
    const copies = new PriceTableCopies(server.driver, { maxBytes: 3 * ten });
    for (const key of ['one', 'two', 'three']) await read(copies, key, { groups: [TEN] });
    assert.equal(copies.bytes, 3 * ten);
    assert.notEqual(await read(copies, 'one'), '0');
    assert.equal(copies.size, 3);
    await read(copies, 'four', { groups: [TEN] });
    assert.deepEqual([copies.bytes, copies.size], [3 * ten, 3]);
    for (const key of ['one', 'three', 'four']) assert.notEqual(await read(copies, key), '0', key);
    assert.equal(await read(copies, 'two', { groups: [TEN] }), '0');
    // One that grows drives out as well.
    await read(copies, 'two', { groups: [group({ 11: 'x' })] });
    assert.ok(copies.bytes <= 3 * ten);
    assert.equal(await read(copies, 'three', { revision: '0' }), '0');
  });

  it('has no room for one that is larger than all may be, which is answered all the same', async () => {
    const ten = await bytesOfTen();
    const copies = new PriceTableCopies(server.driver, { maxBytes: ten });
    await read(copies, 'small', { groups: [TEN] });
    for (let times = 0; times < 2; times += 1) {
      const call = copies.of('large').rows([1, 11]);
      assert.equal((await server.answer({ groups: [TEN, group({ 11: 'x' })] }))[2], '0');
      assert.deepEqual(await call, [{ a: 'x' }, { a: 'x' }]);
    }
    assert.equal(copies.bytes, ten);
    assert.notEqual(await read(copies, 'small'), '0');
  });

  it('is freed of a table that is being asked for, whose calls are answered none the less', async () => {
    const ten = await bytesOfTen();
    const copies = new PriceTableCopies(server.driver, { maxBytes: ten });
    await read(copies, 'one', { groups: [TEN] });
    const one = copies.of('one').rows([1, 2]);
    await turn();
    const [request] = server.requests.splice(0);
    await read(copies, 'two', { groups: [TEN] });
    assert.equal(copies.bytes, ten);
    // `one` was let go meanwhile: what has changed in it is enough for its call still.
    assert.notEqual(request?.words[2], '0');
    request?.resolve(JSON.stringify({ revision: 'r', now: 0, whole: false, groups: [group({ 2: 'y' })], deleted: [] }));
    assert.deepEqual(await one, [{ a: 'x' }, { a: 'y' }]);
    assert.equal(copies.bytes, ten);
    // `two` was called last.
    assert.notEqual(await read(copies, 'two', { deleted: TEN.ids }), '0');
    assert.equal(await read(copies, 'one', { groups: [TEN] }), '0');
  });
});
