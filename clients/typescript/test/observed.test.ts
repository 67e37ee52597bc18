import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { SpanKind, SpanStatusCode, context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type CommandEvent, QuoteLock, ServerError, VehPrice, observed } from 'quotelock';
import { traced } from 'quotelock/opentelemetry';
import { createClient } from 'redis';

import { failureOf, key, plainRedis, throughEachDriver, url } from './harness.js';

const redis = plainRedis();

describe('observed', () => {
  throughEachDriver((driver) => {
    it('tells of each command that was answered or failed', async () => {
      const events: CommandEvent[] = [];
      const prices = new VehPrice(observed(driver(), (event) => events.push(event)));
      const [table, list] = [key('table'), key('list')];
      await redis.rpush(list, 'x');
      await prices.mset(table, ['a'], [[1, { a: 1 }]]);
      await prices.mget(table, [1]);
      await prices.claim(table, [2], { ttlMs: 1000 });
      await prices.mget(table, [2], { blockMs: 30 });
      const error = await failureOf(prices.len(list));
      assert.deepEqual(
        events.map(({ ms, ...event }) => event),
        [
          { command: 'VEHPRICE.MSET', key: table },
          { command: 'VEHPRICE.MGET', key: table },
          { command: 'VEHPRICE.CLAIM', key: table },
          { command: 'VEHPRICE.MGET', key: table },
          { command: 'VEHPRICE.LEN', key: list, error },
        ],
      );
      assert.ok(error instanceof ServerError);
      for (const { ms } of events) assert.ok(ms > 0 && ms < 10_000, String(ms));
      assert.ok((events[3]?.ms ?? 0) >= 29);
    });
  });

  it('fails no call by a hook that fails, and goes round another', async () => {
    const seen: string[] = [];
    const inner = observed(redis, ({ command }) => void seen.push(`inner ${command}`));
    const outer = observed(inner, ({ command }) => {
      seen.push(`outer ${command}`);
      throw new Error('the hook fails');
    });
    assert.equal(await new QuoteLock(outer).get(key()), null);
    assert.ok((await failureOf(new QuoteLock(outer).acquire(key(), ['']))) instanceof ServerError);
    assert.deepEqual(seen, ['inner QUOTELOCK.GET', 'outer QUOTELOCK.GET', 'inner QUOTELOCK.ACQUIRE', 'outer QUOTELOCK.ACQUIRE']);
  });
});

describe('traced', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  before(() => {
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  after(() => provider.shutdown());
  afterEach(() => exporter.reset());

  const { hostname, port = '' } = new URL(url);
  const server = { 'server.address': hostname, 'server.port': Number(port || 6379) };

  it('makes a span of each command, as the conventions say', async () => {
    const nodeRedis = await createClient({ url, database: 3 }).connect();
    const cases = [
      [redis, { ...server, 'db.namespace': '0' }],
      [nodeRedis, { ...server, 'db.namespace': '3' }],
      [(words: string[]) => redis.call(words[0] as string, words.slice(1)), {}],
    ] as const;
    for (const [driver, connection] of cases) {
      const user = key('user');
      await new QuoteLock(traced(driver)).get(user);
      const [span] = exporter.getFinishedSpans();
      const target = 'server.address' in connection ? ` ${hostname}:${server['server.port']}` : '';
      assert.deepEqual(
        [span?.name, span?.kind, span?.status.code],
        [`QUOTELOCK.GET${target}`, SpanKind.CLIENT, SpanStatusCode.UNSET],
      );
      assert.deepEqual(span?.attributes, { 'db.system.name': 'redis', ...connection, 'db.operation.name': 'QUOTELOCK.GET' });
      assert.equal(span?.instrumentationScope.name, 'quotelock');
      assert.ok(!JSON.stringify([span?.name, span?.attributes]).includes(user), 'it names the user');
      exporter.reset();
    }
    await nodeRedis.close();
  });

  it('tells how a command failed', async () => {
    class Lost extends Error {}
    const cases: [unknown, object, string][] = [
      [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), { 'error.type': 'ECONNREFUSED' }, 'connect'],
      [new Lost('lost'), { 'error.type': 'Lost' }, 'lost'],
      ['odd', { 'error.type': '_OTHER' }, 'odd'],
    ];
    for (const [error, expected, message] of cases) {
      const failing = new QuoteLock(traced(() => Promise.reject(error)));
      await failing.get('user').catch(() => undefined);
      const [span] = exporter.getFinishedSpans();
      assert.deepEqual(span?.status, { code: SpanStatusCode.ERROR, message });
      assert.deepEqual(span?.attributes, { 'db.system.name': 'redis', 'db.operation.name': 'QUOTELOCK.GET', ...expected });
      exporter.reset();
    }
    const list = key('list');
    await redis.rpush(list, 'x');
    await failureOf(new QuoteLock(traced(redis)).get(list));
    const [span] = exporter.getFinishedSpans();
    assert.deepEqual([span?.attributes['error.type'], span?.attributes['db.response.status_code']], ['WRONGTYPE', 'WRONGTYPE']);
  });

  it('takes attributes and a tracer, has the span of the call as its parent, and is that of what is sent', async () => {
    const tracer = provider.getTracer('of the service');
    const attributes = { 'db.system.name': 'valkey', 'server.address': 'valkey.example.com', 'server.port': 6380 };
    let inside: string | undefined;
    const driver = traced(
      observed(
        (words) => {
          inside = trace.getActiveSpan()?.spanContext().spanId;
          return redis.call(words[0] as string, words.slice(1));
        },
        () => undefined,
      ),
      { attributes, tracer },
    );
    const parent = tracer.startSpan('screen');
    await context.with(trace.setSpan(context.active(), parent), () => new QuoteLock(driver).get(key()));
    const [span] = exporter.getFinishedSpans();
    assert.equal(span?.name, 'QUOTELOCK.GET valkey.example.com:6380');
    assert.equal(span?.attributes['db.system.name'], 'valkey');
    assert.equal(span?.parentSpanContext?.spanId, parent.spanContext().spanId);
    assert.equal(span?.spanContext().spanId, inside);
    assert.equal(span?.instrumentationScope.name, 'of the service');
  });
});
