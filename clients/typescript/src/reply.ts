/** A text, whatever type the driver returns it as. */
export function text(reply: unknown): string {
  return String(reply);
}

/** A whole number. */
export function number(reply: unknown): number {
  return Number(reply);
}

/** A list. */
export function list(reply: unknown): unknown[] {
  return reply as unknown[];
}

/** A parsed JSON string. */
export function json<T>(reply: unknown): T {
  return JSON.parse(text(reply)) as T;
}

/** A member of a map as GLIDE returns it. */
interface Member {
  key: unknown;
  value: unknown;
}

/** Names and values: a map or an object of RESP3, GLIDE's list of members, or the flat array of RESP2. */
export function members(reply: unknown): Map<string, unknown> {
  if (reply instanceof Map) return new Map([...reply].map(([name, value]) => [text(name), value]));
  if (!Array.isArray(reply)) return new Map(Object.entries(reply as object));
  if (reply.every(isMember)) return new Map(reply.map(({ key, value }) => [text(key), value]));
  const found = new Map<string, unknown>();
  for (let at = 0; at < reply.length; at += 2) found.set(text(reply[at]), reply[at + 1]);
  return found;
}

function isMember(entry: unknown): entry is Member {
  return typeof entry === 'object' && entry !== null && !Array.isArray(entry) && 'key' in entry && 'value' in entry;
}
