/** VS and PS as a process: settings as JSON in UPSTREAM, the port and later faults by messages from whoever started it. */
import { Book, type BookOptions } from './book.js';
import type { Faults } from './faults.js';
import { Upstream } from './server.js';

const { port, book, faults } = JSON.parse(process.env['UPSTREAM'] ?? '{}') as {
  port?: number;
  book: BookOptions;
  faults: Faults;
};

const upstream = new Upstream(new Book(book), faults);
process.on('message', (changed: Faults) => {
  upstream.faults = changed;
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: await upstream.listen(port) });
