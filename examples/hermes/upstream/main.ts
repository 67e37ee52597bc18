/** VS and PS as a process. It reads its settings as JSON from UPSTREAM; the port, faults and call counts go by messages. */
import { Book, type BookOptions } from './book.js';
import type { Faults } from './faults.js';
import { Upstream } from './server.js';

const { port, book, faults } = JSON.parse(process.env['UPSTREAM'] ?? '{}') as {
  port?: number;
  book: BookOptions;
  faults: Faults;
};

const upstream = new Upstream(new Book(book), faults);
process.on('message', (said: 'calls' | Faults) => {
  if (said === 'calls') process.send?.({ calls: upstream.calls });
  else upstream.faults = said;
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group: the parent process stops this one.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => process.exit(0));
process.send?.({ port: await upstream.listen(port) });
