/** OpenTelemetry spans that follow its database conventions. Requires `@opentelemetry/api`; nothing else in quotelock does. */
import { type Attributes, SpanKind, SpanStatusCode, type Tracer, context, trace } from '@opentelemetry/api';
import type { Driver, Glide, Send } from './driver.js';
import { ServerError } from './errors.js';
import type { Observed } from './observed.js';

export interface TraceOptions {
  /** Additional attributes for each span, or other values: `server.address` for a Cluster, `db.system.name` of `valkey`. */
  attributes?: Attributes;
  /** Defaults to the global provider's tracer for quotelock. */
  tracer?: Tracer;
}

/** The options of drivers that are read. */
interface Options {
  host?: string;
  port?: number;
  path?: string;
  db?: number;
  socket?: { host?: string; port?: number; path?: string };
  database?: number;
}

/**
 * Returns a driver that makes a span for each command, from the call to its end. Spans contain no keys or arguments, as these
 * name users. If the driver is already traced by its own instrumentation, use only one of the two.
 */
export function traced(driver: Driver, options: TraceOptions = {}): Driver {
  const attributes: Attributes = { ...connectionOf(driver), ...options.attributes };
  const { 'server.address': address, 'server.port': port } = attributes;
  const target = address === undefined ? '' : ` ${address}${port === undefined ? '' : `:${port}`}`;
  return {
    driver,
    around: ({ command }, send) => {
      const tracer = options.tracer ?? trace.getTracer('quotelock');
      const span = tracer.startSpan(`${command}${target}`, {
        kind: SpanKind.CLIENT,
        attributes: { ...attributes, 'db.operation.name': command },
      });
      return context.with(trace.setSpan(context.active(), span), async () => {
        try {
          return await send();
        } catch (error) {
          span.setAttributes(failure(error));
          span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
          throw error;
        } finally {
          span.end();
        }
      });
    },
  };
}

/** From the client's options; `db.namespace` is the database selected at the start. A Cluster's nodes are not included. */
function connectionOf(driver: Driver): Attributes {
  if (isObserved(driver)) return connectionOf(driver.driver);
  const { options = {} } = driver as { options?: Options };
  const { host, port, path } = { ...options, ...options.socket };
  const database = options.db ?? options.database ?? (host === undefined && path === undefined ? undefined : 0);
  return {
    'db.system.name': isGlide(driver) ? 'valkey' : 'redis',
    ...(database !== undefined && { 'db.namespace': String(database) }),
    ...(path !== undefined
      ? { 'server.address': path }
      : host !== undefined && { 'server.address': host, 'server.port': port ?? 6379 }),
  };
}

function failure(error: unknown): Attributes {
  if (error instanceof ServerError) return { 'db.response.status_code': error.code, 'error.type': error.code };
  const code = (error as { code?: unknown } | null | undefined)?.code;
  const name = error instanceof Error ? error.constructor.name : '_OTHER';
  return { 'error.type': typeof code === 'string' ? code : name };
}

function isObserved(driver: Driver): driver is Observed {
  return 'around' in driver;
}

function isGlide(driver: Exclude<Driver, Observed>): driver is Exclude<Glide, Send> {
  return 'customCommand' in driver;
}
