import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';

/** A request that can't be answered as it is. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** What goes out: a status and what is sent as JSON. */
export interface Answer {
  status: number;
  body: unknown;
}

export interface Request {
  method: string;
  /** The parts of the path. */
  path: string[];
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** The body, as JSON; `{}` for none. */
  body: Record<string, unknown>;
}

const MOST_BYTES = 16 * 1024;

/** A server of JSON. What `answer` throws is turned into an answer by `failed`. */
export function jsonServer(
  answer: (request: Request) => Promise<Answer>,
  failed: (error: unknown) => Answer,
  headers: Record<string, string>,
): Server {
  const respond = async (incoming: IncomingMessage, response: ServerResponse) => {
    let answered: Answer;
    try {
      answered = await answer(await read(incoming));
    } catch (error) {
      answered = error instanceof BadRequest ? { status: 400, body: { error: error.message } } : failed(error);
    }
    const text = JSON.stringify(answered.body);
    const length = Buffer.byteLength(text);
    response.writeHead(answered.status, { ...headers, 'content-type': 'application/json', 'content-length': length });
    response.end(text);
  };
  return createServer((incoming, response) => void respond(incoming, response));
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const asked = incoming.url ?? '/';
  if (!asked.startsWith('/')) throw new BadRequest('the path begins with /');
  const url = new URL(`http://pod${asked}`);
  const path = url.pathname.split('/').slice(1);
  const body = incoming.method === 'GET' ? {} : await readJson(incoming);
  return { method: incoming.method ?? '', path, query: url.searchParams, headers: incoming.headers, body };
}

async function readJson(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new BadRequest(`the body is longer than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BadRequest('the body is no object');
  return body as Record<string, unknown>;
}
