import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';

import { FillError, isUnavailable } from 'quotelock';

import { NoPrice } from '../service/rents.js';
import { UpstreamError } from '../upstream/client.js';

/** A request that is invalid. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  readonly statusCode = 400;
}

const MAX_BYTES = 16 * 1024;

/** A pod's JSON server, without routes yet. */
export function jsonServer(pod: string): FastifyInstance {
  const server = fastify({
    bodyLimit: MAX_BYTES,
    maxParamLength: MAX_BYTES, // so that the check of ids refuses one that is too long
    exposeHeadRoutes: false,
    keepAliveTimeout: 60_000,
  });
  server.addHook('onRequest', async (_request, reply) => void reply.header('x-pod', pod));
  // Apps send JSON under any content type, or none.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, text: string) => parse(text));
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));
  server.setErrorHandler((error, _request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') error.message = `the body is longer than ${MAX_BYTES} bytes`;
    if (error instanceof NoPrice) return reply.code(422).send({ error: error.message });
    if ((error.statusCode ?? 500) < 500) return reply.code(400).send({ error: error.message });
    const why = whyNot(error);
    if (why === undefined) console.error(`pod ${pod}:`, error);
    return reply.code(503).send({ error: `${why ?? 'that went wrong'}, ask again` });
  });
  return server;
}

/** The answer to a screen that failed through no fault of the pod, otherwise undefined. */
function whyNot(error: Error): string | undefined {
  const asked = error instanceof FillError ? error.upstream : error;
  if (asked instanceof UpstreamError) return 'no price can be had now';
  if (!isUnavailable(asked)) return undefined;
  return error instanceof FillError ? 'no price can be had in time' : 'no rent can be kept now';
}

function parse(text: string): object {
  if (text === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BadRequest('the body is no object');
  return body;
}
