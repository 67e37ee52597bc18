import { Agent, type RequestOptions, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Mode } from '../api/pod.js';
import type { Pod } from '../launch/pods.js';
import type { Tally } from './tally.js';

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  user: string;
  roleIds: string[];
  body?: object;
}

export interface Reply<Body> {
  status: number;
  body: Body;
}

const AGAIN_MS = 100;
const PATIENCE_MS = 60_000;
const SILENCE_MS = 15_000;

/** Sends each request to a random pod that is up, and to another one if that does not answer. */
export class Gateway {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(
    readonly pods: readonly Pod[],
    readonly mode: Mode,
    readonly tally: Tally,
  ) {}

  async ask<Body>(asked: Ask): Promise<Reply<Body>> {
    for (const since = Date.now(); ; ) {
      const up = this.pods.flatMap(({ port }) => port ?? []);
      const port = up[Math.floor(Math.random() * up.length)];
      try {
        if (port === undefined) throw new Error('no pod is up');
        const reply = await this.#once<Body>(asked, port);
        if (reply.status !== 503) return reply;
        if (Date.now() - since > PATIENCE_MS) return reply;
      } catch (error) {
        if (Date.now() - since > PATIENCE_MS) throw error;
      }
      this.tally.askedAgain += 1;
      await sleep(AGAIN_MS);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once<Body>({ method, path, user, roleIds, body }: Ask, port: number): Promise<Reply<Body>> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'x-user-id': user,
      'x-role-ids': roleIds.join(','),
      'x-mode': this.mode,
      'content-length': Buffer.byteLength(text),
    };
    const options: RequestOptions = { host: '127.0.0.1', port, method, path, headers, agent: this.#agent, timeout: SILENCE_MS };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
          } catch (error) {
            reject(error as Error);
          }
        });
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.end(text);
    });
  }
}
