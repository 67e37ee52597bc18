import { type ChildProcess, type ForkOptions, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Processes that end together, with a directory that is removed with them. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'hermes-'));
  readonly #children = new Set<ChildProcess>();

  /** Starts a program. It ends with this process, even if that is killed, if the system supports this. */
  spawn(name: string, program: string, args: string[]): ChildProcess {
    const log = openSync(join(this.directory, `${name}.log`), 'a');
    const [command, ...rest] = [...END_WITH_PARENT, program, ...args] as [string, ...string[]];
    // A process group of its own: Ctrl-C goes only to this process, which ends the others in order.
    return this.#keep(spawn(command, rest, { stdio: ['ignore', log, log], detached: true }));
  }

  /** Starts one of this package's own processes, and waits until it reports its port. */
  async fork(path: string, env: Record<string, string>): Promise<{ child: ChildProcess; port: number }> {
    const options: ForkOptions = { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] };
    const child = this.#keep(fork(fileURLToPath(new URL(`../${path}`, import.meta.url)), options));
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (said) => resolve((said as { port: number }).port));
      child.once('exit', (code) => reject(new Error(`${path} ended with ${code}`)));
    });
    return { child, port };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => end(child, 'SIGTERM')));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #keep(child: ChildProcess): ChildProcess {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }
}

/** Ends a process, and waits for its end. */
export async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(patience);
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const END_WITH_PARENT =
  spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'TERM'] : [];
