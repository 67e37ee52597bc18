const $ = (selector) => document.querySelector(selector);
const ROLE_IDS = '3,7';
const AREA = Math.floor(Math.random() * 5);
const PINS = 36;
const COLUMNS = 6;
const PLAN = 0; // the first of a pricing's plans

const state = { mode: 'quotelock', user: newUser(), shown: undefined, vehicle: undefined, rent: undefined, pins: new Map() };

function newUser() {
  return `user-${Math.random().toString(36).slice(2, 8)}`;
}

function headers(user = state.user) {
  return { 'x-user-id': user, 'x-role-ids': ROLE_IDS, 'x-mode': state.mode };
}

async function ask(path, method = 'GET', body = undefined) {
  const response = await fetch(`/api${path}`, { method, headers: headers(), ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: response.status, pod: response.headers.get('x-pod') ?? '?', body: await response.json() };
}

/** What is sent back: the plan, and the moment that only the app of quotelock knows. */
function seen() {
  const query = new URLSearchParams();
  if (!state.shown) return query;
  query.set('planId', state.shown.rule.planId);
  if (state.mode === 'quotelock') query.set('queryTime', state.shown.queryTime);
  return query;
}

/** What a quote shows of a vehicle. */
function shownIn({ queryTime, scooters, prices }, vehicle) {
  const pricingId = scooters.find(({ id }) => id === vehicle)?.pricingId;
  return { queryTime, pricingId, rule: prices[pricingId]?.[PLAN] };
}

const priceOf = (rule) => `${rule.unlockCents} + ${rule.perMinuteCents} a min`;
const clock = (time) => time.slice(11, 23);

/** A line of the journey: what a step showed, and whether it is what was shown before. */
function log(step, pod, shown, newQuote) {
  const { queryTime, rule } = shown;
  const before = state.shown && priceOf(state.shown.rule);
  const price = priceOf(rule);
  const [kind, said] =
    before === undefined
      ? ['', 'first price']
      : newQuote
        ? ['new', 'new quote']
        : before === price
          ? ['same', 'same price']
          : ['other', 'another price, silently'];
  const line = document.createElement('li');
  line.innerHTML = `<b></b> <span></span> <b class="${kind}"></b>`;
  line.children[0].textContent = step;
  line.children[1].textContent = `${price} (${rule.planId}), moment ${clock(queryTime)}, ${pod}:`;
  line.children[2].textContent = said;
  $('#log').prepend(line);
  state.shown = shown;
}

function note(step, text) {
  const line = document.createElement('li');
  line.className = 'new';
  line.textContent = `${step}: ${text}`;
  $('#log').prepend(line);
}

async function look() {
  const { status, pod, body } = await ask(`/scooters?area=${AREA}&${seen()}`);
  if (status !== 200) return note('Map', body.error);
  $('#map-said').textContent = `${body.scooters.length} scooters of this area, by ${pod}, moment ${clock(body.queryTime)}`;
  const pins = body.scooters.slice(0, PINS).map(({ id }, at) => {
    const { rule } = shownIn(body, id);
    const pin = document.createElement('button');
    const price = rule ? priceOf(rule) : 'no price yet';
    pin.textContent = rule?.perMinuteCents ?? '–';
    pin.title = `${id}: ${price}`;
    pin.disabled = !rule; // it is shown, and can't be reserved
    pin.dataset.vehicle = id;
    const [column, row] = [at % COLUMNS, Math.floor(at / COLUMNS)];
    pin.style.left = `${(100 / COLUMNS) * column + ((at * 7) % 8) + 1}%`;
    pin.style.top = `${(100 * COLUMNS * row) / PINS + ((at * 5) % 9) + 1}%`;
    pin.ariaPressed = String(id === state.vehicle);
    if (state.pins.has(id) && state.pins.get(id) !== price && !body.newQuote) pin.classList.add('changed');
    state.pins.set(id, price);
    pin.onclick = () => choose(id, body, pod);
    return pin;
  });
  $('#map').replaceChildren(...pins);
  if (state.vehicle && state.shown && !state.rent) log('Map', pod, shownIn(body, state.vehicle), body.newQuote);
}

function choose(id, quote, pod) {
  Object.assign(state, { vehicle: id, rent: undefined, shown: undefined });
  $('#log').replaceChildren();
  for (const pin of $('#map').children) pin.ariaPressed = String(pin.dataset.vehicle === id);
  log('Map', pod, shownIn(quote, id), false);
  buttons();
}

const steps = {
  async page() {
    const { status, pod, body } = await ask(`/scooters/${state.vehicle}?${seen()}`);
    if (status === 200) log('Vehicle', pod, shownIn(body, state.vehicle), body.newQuote);
    else note('Vehicle', body.error);
  },
  async reserve() {
    const { rule, queryTime, pricingId } = state.shown;
    const saw = state.mode === 'quotelock' ? { queryTime, pricingId } : {};
    const order = { vehicleId: state.vehicle, planId: rule.planId, ...saw };
    const { status, pod, body } = await ask('/rents', 'POST', order);
    if (status === 201) {
      state.rent = body;
      log('Reserve', pod, body, false);
    } else if (status === 409 && body.quote) {
      log('Reserve', pod, shownIn(body.quote, state.vehicle), true);
    } else {
      note('Reserve', status === 409 ? 'the quote has ended, look at the vehicle again' : body.error);
    }
  },
  start: () => ride('start'),
  return: () => ride('return'),
};

async function ride(step) {
  const { status, pod, body } = await ask(`/rents/${state.rent.rentId}`, 'PATCH', { step });
  if (status !== 200) return note(step, body.error);
  log(step === 'start' ? 'Start' : 'Return', pod, body, false);
  if (body.cents !== undefined) note('To pay', `${body.cents} cents for ${body.minutes} min`);
  state.rent = body;
}

function buttons() {
  const at = state.rent?.state;
  const can = {
    page: state.vehicle && !at,
    reserve: state.vehicle && !at,
    start: at === 'Reserved',
    return: at === 'Started',
  };
  for (const button of document.querySelectorAll('#steps button')) button.disabled = !can[button.dataset.step];
}

/** Every pod is asked at the same moment for one scooter, for a user who has no lock. */
async function race() {
  const vehicle = state.vehicle ?? String(4000 + AREA * 200);
  const answers = await (await fetch(`/race?vehicle=${vehicle}`, { headers: headers(newUser()) })).json();
  const priced = answers.map(({ status, pod, body }) => ({
    pod,
    price: status === 200 ? priceOf(shownIn(body, vehicle).rule) : 'no answer',
    at: body.queryTime,
  }));
  const count = new Map();
  for (const { price } of priced) count.set(price, (count.get(price) ?? 0) + 1);
  const usual = [...count].sort((a, b) => b[1] - a[1])[0][0];
  $('#race-said').textContent = count.size === 1 ? 'one price' : `${count.size} prices`;
  $('#race-said').className = count.size === 1 ? 'same' : 'other';
  $('#pods').replaceChildren(
    ...priced.map(({ pod, price, at }) => {
      const line = document.createElement('li');
      line.className = price === usual && count.size === 1 ? 'same' : price === usual ? '' : 'other';
      line.textContent = `${pod}: ${price}, ${at ? clock(at) : ''}`;
      return line;
    }),
  );
}

async function watch() {
  const { lock, now, timing, toggle, totals } = await (await fetch(`/watch?user=${state.user}`)).json();
  $('#user').textContent = state.user;
  $('#state').textContent = lock?.state ?? 'No lock';
  $('#lock').className = lock?.state ?? '';
  const age = lock ? now - Date.parse(lock.queryTime) : 0;
  const open = timing.ttlMs - timing.bufferMs;
  const left = lock?.state === 'Effective' ? open - age : timing.ttlMs - age;
  $('#left').textContent = !lock ? '' : lock.state === 'Effective' ? `for ${Math.ceil(left / 1000)} s` : 'the map renews it';
  $('#bar i').style.width = lock
    ? `${Math.max(0, Math.min(100, (100 * left) / (lock.state === 'Effective' ? open : timing.bufferMs)))}%`
    : '0';
  $('#moment').textContent = lock
    ? `queryTime ${lock.queryTime}, roles ${lock.roleIds}`
    : 'The map or a vehicle’s page starts one.';
  if (document.activeElement !== $('#toggle')) $('#toggle').value = toggle;
  $('#sums tbody').innerHTML = Object.entries(totals)
    .map(
      ([mode, { screens, upstreamCalls, savedBytes }]) =>
        `<tr><td>${mode === 'today' ? 'as today' : mode}<td>${screens}<td>${upstreamCalls}<td>${2 * screens - upstreamCalls}` +
        `<td>${savedBytes.toLocaleString('en')}`,
    )
    .join('');
}

function restart() {
  Object.assign(state, { user: newUser(), shown: undefined, vehicle: undefined, rent: undefined, pins: new Map() });
  $('#log').replaceChildren();
  buttons();
  return look();
}

function setMode(mode) {
  state.mode = mode;
  for (const button of document.querySelectorAll('#mode button')) button.ariaPressed = String(button.dataset.mode === mode);
  return restart();
}

for (const button of document.querySelectorAll('#mode button')) button.onclick = () => setMode(button.dataset.mode);
for (const button of document.querySelectorAll('#steps button')) {
  button.onclick = async () => {
    button.disabled = true;
    try {
      await steps[button.dataset.step]();
    } catch (error) {
      note(button.textContent, error.message);
    }
    buttons();
  };
}
$('#new-user').onclick = restart;
$('#look').onclick = look;
$('#race').onclick = race;
$('#toggle').onchange = ({ target }) => fetch(`/toggle/${target.value}`, { method: 'POST' });
setInterval(() => watch().catch(() => ($('#state').textContent = 'The demo is not running')), 1000);
await setMode('quotelock');
await watch();
