// Where the module differs from the services on purpose. Both sides tell the state at AT, in the time zone ZONE.
//
// A row: the stored value, what the old code answers, what the module's GET answers.
// old:    the lock it reads, or the name of the error it throws.
// module: the lock it reads, or nil.
// set:    what QUOTELOCK.SET says to the same roleIds and queryTime, where it refuses them: old pods write them.

export const ZONE = 'Asia/Shanghai';
export const AT = '2024-09-12T02:51:00.000Z';

const nil = null;
const TAKEN = null;
const EFFECTIVE = 'Effective';
const CLOSING = 'CloseToExpired';
const BAD_TIME = /^ERR invalid queryTime /;
const BAD_ROLES = /^ERR invalid roleIds, /;

const GOOD_TIME = '2024-09-12T02:50:53.000Z';
const ROLES = ['3', '7'];
const lock = (roleIds, queryTime, state) => ({ roleIds, queryTime, state });

// queryTime that moment takes, or calls Effective because it is no date to it; to the module it is no lock.
const time = (name, queryTime, state) => ({
  name,
  value: JSON.stringify({ roleIds: ROLES, queryTime }),
  old: lock(ROLES, queryTime, state),
  module: nil,
  set: typeof queryTime === 'string' ? BAD_TIME : TAKEN,
  given: [JSON.stringify(ROLES), queryTime],
});

// roleIds the old class passes on unread; to the module they are no lock, or the same ids as strings.
const roles = (name, json, module = nil, set = BAD_ROLES) => ({
  name,
  value: `{"roleIds":${json},"queryTime":"${GOOD_TIME}"}`,
  old: lock(JSON.parse(json), GOOD_TIME, EFFECTIVE),
  module: module && lock(module, GOOD_TIME, EFFECTIVE),
  set,
  given: [json, GOOD_TIME],
});

const value = (name, value, old, module = nil) => ({ name, value, old, module });

export const DIFFERENCES = [
  // Taken by moment in the pod's own zone, so two pods may disagree.
  time('no offset, 7 s old in Shanghai', '2024-09-12T10:50:53', EFFECTIVE),
  time('no offset, hours old in Shanghai', '2024-09-12T02:50:53', CLOSING),
  time('a date alone', '2024-09-12', CLOSING),
  time('a year alone', '2024', CLOSING),
  // Other forms of ISO 8601, which RFC 3339 has not.
  time('offset without its colon', '2024-09-12T10:50:53+0800', EFFECTIVE),
  time('offset of hours alone', '2024-09-12T10:50:53+08', EFFECTIVE),
  time('a space before the Z', '2024-09-12T02:50:53 Z', EFFECTIVE),
  time('a space before it all', ' 2024-09-12T02:50:53Z', EFFECTIVE),
  time('no seconds', '2024-09-12T02:50Z', EFFECTIVE),
  time('the basic form', '20240912T025053Z', EFFECTIVE),
  time('a week', '2024-W37-4T02:50:53Z', EFFECTIVE),
  time('a day of the year', '2024-256T02:50:53Z', EFFECTIVE),
  time('a year of six digits', '+002024-09-12T02:50:53Z', EFFECTIVE),
  time('a comma before the fraction', '2024-09-12T02:50:53,5Z', EFFECTIVE),
  time('more than 64 bytes', `2024-09-12T02:50:53.${'0'.repeat(50)}Z`, EFFECTIVE),
  time('24:00:00, the next day to moment', '2024-09-11T24:00:00Z', CLOSING),
  time('the mail form', 'Thu, 12 Sep 2024 02:50:53 GMT', EFFECTIVE),
  // Numbers are milliseconds to moment; as text they are no date to it.
  time('a number', 1726109453000, EFFECTIVE),
  time('the number 0', 0, CLOSING),
  time('seconds for milliseconds', 1726109453, CLOSING),
  time('a number as text', '1726109453000', EFFECTIVE),
  time('parts in an array', [2024, 8, 12, 10, 50, 53], EFFECTIVE),
  time('parts in an object', { year: 2024, month: 8, day: 12 }, CLOSING),
  // No date: its age is NaN, and NaN > 300 is false, so such a lock stays Effective for as long as it lives.
  time('no date', 'nonsense', EFFECTIVE),
  time('what moment prints for no date', 'Invalid date', EFFECTIVE),
  time('an empty text', '', EFFECTIVE),
  time('null', null, EFFECTIVE),
  time('true', true, EFFECTIVE),
  time('30 February', '2024-02-30T00:00:00Z', EFFECTIVE),
  time('25 hours', '2024-09-11T25:00:00Z', EFFECTIVE),
  time('24:00:01', '2024-09-11T24:00:01Z', EFFECTIVE),
  time('a dot without digits', '2024-09-12T02:50:53.Z', EFFECTIVE),
  time('a space after it all', '2024-09-12T02:50:53Z ', EFFECTIVE),
  time('a minus that is not ASCII', '2024-09-11T18:50:53\u221208:00', EFFECTIVE),
  time('an offset of a day', '2024-09-12T02:50:53+24:00', EFFECTIVE),
  // The age of an absent queryTime counts from now.
  value('no queryTime', '{"roleIds":["3","7"]}', lock(ROLES, undefined, EFFECTIVE)),
  // Valid to RFC 3339, no date to moment (before its 2.31 it took any offset): the module uses the age.
  value(
    'the 60th second, which begins the next minute',
    `{"roleIds":["3","7"],"queryTime":"2024-09-12T02:44:60Z"}`,
    lock(ROLES, '2024-09-12T02:44:60Z', EFFECTIVE),
    lock(ROLES, '2024-09-12T02:44:60Z', CLOSING),
  ),
  value(
    'a fraction that a JavaScript number rounds up to 1',
    `{"roleIds":["3","7"],"queryTime":"2024-09-12T02:44:53.99999999999999999Z"}`,
    lock(ROLES, '2024-09-12T02:44:53.99999999999999999Z', EFFECTIVE),
    lock(ROLES, '2024-09-12T02:44:53.99999999999999999Z', CLOSING),
  ),
  value(
    'an offset no place on earth has',
    `{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53+23:59"}`,
    lock(ROLES, '2024-09-12T02:50:53+23:59', EFFECTIVE),
    lock(ROLES, '2024-09-12T02:50:53+23:59', CLOSING),
  ),

  // Role ids of any type.
  roles('ids that are numbers', '[3,7]', ['3', '7'], TAKEN),
  roles('an id beyond what a JavaScript number holds', '[9007199254740993]', ['9007199254740993'], TAKEN),
  roles('roleIds is null', 'null', nil, TAKEN), // as an argument null and 3 are comma lists of one
  roles('roleIds is a number', '3', nil, TAKEN),
  roles('roleIds is a text', '"3,7"'),
  roles('roleIds is an object', '{"0":"3"}'),
  roles('an id that is null', '["3",null]'),
  roles('an id that is true', '[true]'),
  roles('an id that is an array', '[["3"]]'),
  roles('an id that is an object', '[{"id":"3"}]'),
  roles('half of a surrogate pair', '["\\ud83d"]'),
  // Read alike; only the module's own writing is bounded.
  roles('an empty id', '[""]', ['']),
  roles('an id of 257 bytes', `["${'a'.repeat(257)}"]`, ['a'.repeat(257)]),
  roles('1,025 ids', JSON.stringify(Array(1025).fill('3')), Array(1025).fill('3')),
  value('no roleIds', `{"queryTime":"${GOOD_TIME}"}`, lock(undefined, GOOD_TIME, EFFECTIVE)),

  // Values that hold no lock.
  value('an empty value', '', 'SyntaxError'),
  value('broken JSON', '{"roleIds":["3"', 'SyntaxError'),
  value('no JSON', 'locked', 'SyntaxError'),
  value('JSON and more', `{"roleIds":["3"],"queryTime":"${GOOD_TIME}"}}`, 'SyntaxError'),
  value('a byte order mark', `\ufeff{"roleIds":["3"],"queryTime":"${GOOD_TIME}"}`, 'SyntaxError'),
  value('the JSON null', 'null', 'TypeError'),
  value('a JSON text', '"lock"', lock(undefined, undefined, EFFECTIVE)),
  value('a JSON number', '7', lock(undefined, undefined, EFFECTIVE)),
  value('a JSON array', '[]', lock(undefined, undefined, EFFECTIVE)),
  value('an empty object', '{}', lock(undefined, undefined, EFFECTIVE)),
  value(
    'bytes that are not UTF-8',
    Buffer.from(`{"roleIds":["\xff"],"queryTime":"${GOOD_TIME}"}`, 'latin1'),
    lock(['\ufffd'], GOOD_TIME, EFFECTIVE),
  ),

  // A lock with its own lifetime, which the old code does not know.
  value(
    'its own ttl and buffer',
    `{"roleIds":["3","7"],"queryTime":"${GOOD_TIME}","ttlMs":10000,"bufferMs":5000}`,
    lock(ROLES, GOOD_TIME, EFFECTIVE),
    lock(ROLES, GOOD_TIME, CLOSING),
  ),
];

// Odd values that both sides read alike.
const of = (queryTime) => `{"roleIds":["3","7"],"queryTime":"${queryTime}"}`;
const having = (members) => `{${members},"roleIds":["3","7"],"queryTime":"${GOOD_TIME}"}`;

export const ALIKE = [
  of('2024-09-12t02:50:53.000z'),
  of('2024-09-12 02:50:53Z'),
  of('2024-09-12T02:50:53-00:00'),
  of('2024-09-12T02:50:53.1234567890Z'),
  of('2024-09-12T02:45:59.0009Z'), // 300.9991 s old, 301 s in whole milliseconds
  of('2024-09-12T02:45:59.001Z'),
  of('2024-02-29T23:59:59Z'),
  of('0000-01-01T00:00:00Z'),
  of('9999-12-31T23:59:59.999Z'),
  having('"extra":{"roleIds":null,"queryTime":0}'),
  having(`"extra":${'['.repeat(1000)}${']'.repeat(1000)}`),
  having('"__proto__":{"roleIds":[]}'),
  having('"roleIds":[[1]],"queryTime":7'),
  having('"ttlMs":null,"bufferMs":null'),
  `{"roleIds":[],"queryTime":"${GOOD_TIME}"}`,
  `\t{\r\n"roleIds" : [ "\\u0033" , "\\/" ] ,\n "\\u0071ueryTime":"${GOOD_TIME}" } \n`,
];
