import type { Mode } from '../../api/pod.js';
import type { Watched } from '../front.js';
import type { Race } from '../race.js';

export const MODES = ['today', 'quotelock'] as const satisfies readonly Mode[];
const ROLE_IDS = '3,7';
const TRIES = 30;
const AGAIN_MS = 100;

export interface Reply<Body> {
  status: number;
  pod: string;
  body: Body;
}

let users = 0;
const visit = Math.random().toString(36).slice(2, 8);

export function newUser(): string {
  users += 1;
  return `user-${visit}-${users}`;
}

/** Calls a random pod, and another one if that does not answer, as an app does. */
export async function ask<Body>(mode: Mode, user: string, path: string, method = 'GET', body?: object): Promise<Reply<Body>> {
  const headers = { 'x-user-id': user, 'x-role-ids': ROLE_IDS, 'x-mode': mode };
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`/api${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const reply = { status: response.status, pod: response.headers.get('x-pod') ?? '', body: await response.json() };
    if (reply.status < 500) return reply;
    if (tries === TRIES) throw new Error(reply.body.error);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

export function race(user: string, area: number): Promise<Race> {
  return send(`/race?area=${area}`, { 'x-user-id': user, 'x-role-ids': ROLE_IDS });
}

/** Presses one of the demo's own buttons. */
export async function send<Body>(path: string, headers: Record<string, string> = {}): Promise<Body> {
  const response = await fetch(path, { method: 'POST', headers });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

export async function watch(): Promise<Watched> {
  const response = await fetch('/watch');
  return response.json();
}
