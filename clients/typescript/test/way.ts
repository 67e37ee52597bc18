// A way to a server on which replies and connections can be lost, and which can be led to another server.
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface Way {
  /** The address at this end. */
  url: string;
  /** The address of the server, for connections that are made from now on. */
  to: string;
  /** Whether the next reply is lost, and the connection with it. */
  losesNext: boolean;
  /** How many were lost. */
  lost: number;
  /** Ends all connections, and says how many there were. */
  cut(): number;
  close(): void;
}

export async function wayTo(to: string): Promise<Way> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(way.to);
    const behind = connect(Number(port || 6379), hostname);
    const close = () => {
      client.destroy();
      behind.destroy();
      open.delete(client);
    };
    open.add(client);
    for (const end of [client, behind]) end.on('error', close).on('close', close);
    client.pipe(behind);
    behind.on('data', (reply) => {
      if (!way.losesNext) return client.write(reply);
      way.losesNext = false;
      way.lost += 1;
      return close();
    });
  });
  const way: Way = {
    url: '',
    to,
    losesNext: false,
    lost: 0,
    cut: () => {
      const { size } = open;
      for (const client of open) client.destroy();
      return size;
    },
    close: () => {
      way.cut();
      server.close();
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  way.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return way;
}
