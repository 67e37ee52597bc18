// Random locks from a seed: the same seed gives the same locks.

const SECOND = 1000;
const DAY = 86_400 * SECOND;

// Ages at which the state or the lock itself turns, with the milliseconds around them.
const TURNS = [-1, 0, 299, 300, 301, 302, 359, 360, 361].map((seconds) => seconds * SECOND);

const ALPHABETS = [
  '0123456789',
  'abcXYZ_-:.',
  '"\\/{}[],:',
  '\b\t\n\f\r\u0000\u0001\u001f\u007f\u0085',
  'åßçéñøüÿĀſ',
  '东京价格锁定한국어ไทย',
  '\u200b\u2028\u2029\ufeff\ufffd\uffff',
  '🚗🛵😀👩‍🚀🏳️‍🌈𝒬',
].map((letters) => [...letters]);

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // mulberry32: small, seedable, good enough to pick test cases.
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  // A whole number from least to most, both included.
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick(list) {
    return list[this.whole(0, list.length - 1)];
  }

  chance(probability) {
    return this.next() < probability;
  }
}

// Ages in ms: mostly around the turns, else anywhere from far in the future to far in the past.
export function age(random) {
  if (random.chance(0.75)) return random.pick(TURNS) + random.whole(-2, 2);
  if (random.chance(0.5)) return random.whole(-600 * SECOND, 600 * SECOND);
  return random.whole(-300 * 365 * DAY, 300 * 365 * DAY);
}

// The instant at which both sides tell the state: in one year, or in any that leaves room for the ages.
export function instant(random) {
  if (random.chance(0.7)) return Date.UTC(2024, 0, 1) + random.whole(0, 366 * DAY);
  return random.whole(Date.UTC(1000, 0, 1), Date.UTC(9600, 0, 1));
}

// An instant as text: as toISOString writes it, or with an offset and any number of digits after the second.
export function written(random, ms) {
  if (random.chance(0.4)) return new Date(ms).toISOString();
  const minutes = random.pick([0, 0, 60, 480, 330, 345, -210, -300, 840, -720, random.whole(-720, 840)]);
  const local = new Date(ms + minutes * 60 * SECOND).toISOString();
  return local.slice(0, 19) + fraction(random, local.slice(20, 23)) + offset(random, minutes);
}

function fraction(random, millis) {
  const whole = millis.replace(/0+$/, '');
  if (whole === '' && random.chance(0.5)) return '';
  let digits = random.chance(0.5) ? millis : whole || '0';
  // What is finer than a millisecond says nothing about the state, to either side.
  if (digits.length === 3) for (let more = random.whole(0, 9); more > 0; more--) digits += random.pick('0123456789');
  return `.${digits}`;
}

function offset(random, minutes) {
  if (minutes === 0) return random.pick(['Z', '+00:00', '-00:00']);
  const two = (number) => String(number).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export function roleIds(random) {
  if (random.chance(0.01)) return Array.from({ length: 1024 }, (_, i) => String(i));
  return Array.from({ length: random.whole(0, 6) }, () => roleId(random));
}

function roleId(random) {
  if (random.chance(0.02)) return random.pick(['a', '"', '\u0001']).repeat(256);
  if (random.chance(0.4)) return String(random.whole(0, 999));
  const length = random.whole(1, 12);
  return Array.from({ length }, () => random.pick(random.pick(ALPHABETS))).join('');
}

// The same lock as another program might write it: other order, spaces, escapes, members nobody asked for.
export function respelled(random, { roleIds, queryTime }) {
  const members = [
    ['roleIds', JSON.stringify(roleIds)],
    ['queryTime', JSON.stringify(queryTime)],
  ];
  if (random.chance(0.5)) members.reverse();
  if (random.chance(0.3)) members.unshift(['queryTime', '"an earlier member of the same name"']);
  if (random.chance(0.3)) members.unshift(['roleIds', '["another"]']);
  const name = random.pick(['extra', '0', '\\ud800', 'x\\udfff']); // as it stands in JSON; half a pair is a name too
  const unknown = [name, '{"a":[1e400,null,{}],"b":"\\u0000"}'];
  if (random.chance(0.5)) members.splice(random.whole(0, members.length), 0, unknown);
  const escaped = random.chance(0.5);
  const hex = (letter) => letter.charCodeAt(0).toString(16).padStart(4, '0');
  const escapeLetters = (json) => json.replace(/[A-Za-z]/g, (letter) => `\\u${hex(letter)}`);
  const gap = () => random.pick(['', ' ', '\n\t', '\r\n  ']);
  const member = ([name, json]) => {
    const value = escaped && name === 'queryTime' ? escapeLetters(json) : json;
    const spelled = escaped && !name.includes('\\') ? escapeLetters(name) : name;
    return `${gap()}"${spelled}"${gap()}:${gap()}${value}${gap()}`;
  };
  return `${gap()}{${members.map(member).join(',')}}${gap()}`;
}
