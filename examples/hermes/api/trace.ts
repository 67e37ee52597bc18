import { AsyncLocalStorage } from 'node:async_hooks';

import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';

import type { Around } from '../upstream/client.js';

/** A call that a pod made for one screen. The last one is the answer to the screen. */
export interface TracedCall {
  to: 'redis' | 'upstream' | 'app';
  /** The command, or the commands of a pipeline, or the method. */
  name: string;
  /** How many commands the pipeline had, or how many ids the call had. */
  count: number;
  args: string;
  reply: string;
  /** When it was sent, in milliseconds since 1970 by the machine's clock, not the pod's. */
  at: number;
  /** Until it was answered. */
  ms: number;
}

/** Long texts are cut. */
const MAX_TEXT = 240;
const screens = new AsyncLocalStorage<TracedCall[]>();

/** For requests with an `x-trace` header, returns the calls that the screen made in that header. */
export function traceScreens(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    if (request.headers['x-trace'] === undefined) done();
    else screens.run([], done);
  });
  server.addHook('onSend', async (_request, reply) => {
    const calls = screens.getStore();
    if (!calls) return;
    begin(calls, 'app', 'answer', 1, '');
    reply.header('x-trace', ascii(JSON.stringify(calls)));
  });
}

/** Wraps a client so that its commands are traced. */
export function traceRedis(redis: Redis): Redis {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const calls = screens.getStore();
    if (calls) {
      const { pipelineIndex } = command as { pipelineIndex?: number };
      const last = calls.at(-1);
      const call =
        pipelineIndex && last
          ? join(last, command.name.toUpperCase())
          : begin(calls, 'redis', command.name.toUpperCase(), 1, command.args);
      void command.promise.then(
        (reply) => end(call, reply),
        (error) => end(call, error),
      );
    }
    return send(command, stream);
  };
  return redis;
}

/** Traces the calls of an `UpstreamClient`. */
export const traceUpstream: Around = async (method, request, send) => {
  const calls = screens.getStore();
  if (!calls) return send();
  const ids = Object.values(request).find(Array.isArray) ?? [];
  const call = begin(calls, 'upstream', method, ids.length, request);
  try {
    const reply = await send();
    end(call, reply);
    return reply;
  } catch (error) {
    end(call, error);
    throw error;
  }
};

function begin(calls: TracedCall[], to: TracedCall['to'], name: string, count: number, args: unknown): TracedCall {
  const call = { to, name, count, args: text(args), reply: '', at: now(), ms: 0 };
  calls.push(call);
  return call;
}

/** One more command of a pipeline. */
function join(call: TracedCall, name: string): TracedCall {
  const names = call.name.split('+');
  if (names[0] === name) call.count += 1;
  else if (!names.includes(name)) call.name += `+${name}`;
  return call;
}

/** For a pipeline, records the first reply; the last one ends it. */
function end(call: TracedCall, reply: unknown): void {
  call.ms = now() - call.at;
  call.reply ||= text(reply);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function text(value: unknown): string {
  const all = typeof value === 'string' ? value : value instanceof Error ? String(value) : JSON.stringify(value);
  return all.slice(0, MAX_TEXT);
}

/** Headers allow no other characters. */
function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
