//! Copies of tables, kept by VEHPRICE.CHANGES alone beside random commands: after each of them a copy is the
//! table, whatever came between.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use redis::{Connection, Value};

use super::copied::{IDS, KEYS, Writes, words};
use super::{full, report, seed_of};
use crate::harness::*;

/// Where a copy is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Primary,
    Replica,
    /// Now here, now there.
    Either,
}

/// How a copy is asked for: where; the fields, all if none is named; as JSON; whether it drops what has expired.
type Form = (At, &'static [&'static str], bool, bool);

/// The copies of each table. The first are asked for most, the last are the oldest when they are.
const FORMS: [Form; 5] = [
    (At::Primary, &[], true, false),
    (At::Primary, &["pricingId", "none"], false, true),
    (At::Replica, &[], true, false),
    (At::Either, &["plan:571"], true, false),
    (At::Primary, &[], false, true),
];

/// How the answers were.
#[derive(Default)]
struct Tally {
    steps: usize,
    refused: usize,
    rows: usize,
    whole: usize,
    nothing: usize,
    part: usize,
    syncs: usize,
}

struct Run {
    primary: Server,
    replica: Server,
    /// To each of the two.
    con: Connection,
    there: Connection,
    copies: BTreeMap<(usize, usize), OwnCopy>,
    writes: Writes,
    tally: Tally,
    /// What was done last, for a failure's message.
    last: VecDeque<String>,
}

impl Run {
    fn on(kind: Kind) -> Self {
        let builder = || {
            Server::builder(kind)
                .module_args("price-ttl-ms 100000")
                .conf("repl-diskless-sync-delay 0")
                .conf("client-output-buffer-limit replica 0 0 0")
        };
        let primary = builder().start();
        let replica = replica_of(&primary, builder());
        let (con, there) = (primary.connection(), replica.connection());
        let tables = (0..KEYS.len()).flat_map(|key| (0..FORMS.len()).map(move |form| (key, form)));
        let copies = tables.map(|table| (table, OwnCopy::new())).collect();
        let (writes, tally, last) = (Writes::default(), Tally::default(), VecDeque::new());
        Self { primary, replica, con, there, copies, writes, tally, last }
    }

    /// A command, or what else may happen, and then a look at a copy.
    fn step(&mut self, rng: &mut Rng) {
        self.tally.steps += 1;
        match self.tally.steps % if full() { 5000 } else { 2000 } {
            700 => self.full_sync(),
            1400 => self.fail_over(),
            400 | 1100 | 1800 => {
                self.note("DEBUG RELOAD");
                cmd(&mut self.con, "DEBUG RELOAD");
            }
            _ => {}
        }
        if rng.below(25) == 0 {
            rest(1 + rng.below(3));
        }
        let (mut key, commands) = self.writes.commands(&mut self.con, rng);
        commands.iter().for_each(|command| self.note(&brief(command)));
        if rng.below(4) == 0 {
            key = rng.below(KEYS.len() as u64) as usize;
        }
        let form = rng.pick(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4]);
        self.ask(rng, key, form, &commands);
        if rng.below(16) == 0 && FORMS[form].0 == At::Primary {
            self.ask_again(key, form);
        }
    }

    fn note(&mut self, what: &str) {
        self.last.push_back(what.to_owned());
        if self.last.len() > 40 {
            self.last.pop_front();
        }
    }

    /// Runs commands and brings a copy up to date. It is what GETALL answers in the same transaction, in which
    /// the clock stands still; and some of the rows expire when PTTL says.
    fn ask(&mut self, rng: &mut Rng, key: usize, form: usize, commands: &[Vec<Vec<u8>>]) {
        let (at, fields, in_json, forgets) = FORMS[form];
        let copy = self.copies.get_mut(&(key, form)).unwrap();
        let ids: Vec<String> = (0..8).map(|_| IDS.any(rng)).collect();
        let asked = [
            words("MULTI"),
            call(&["VEHPRICE.CHANGES", KEYS[key], &copy.revision], fields, in_json),
            call(&["VEHPRICE.GETALL", KEYS[key]], fields, true),
            ids.iter().fold(words(&format!("VEHPRICE.PTTL {}", KEYS[key])), |mut words, id| {
                words.push(id.clone().into_bytes());
                words
            }),
            words("EXEC"),
        ];
        let is_there = at == At::Replica || (at == At::Either && rng.below(2) == 0);
        let mut replies = if is_there {
            if !commands.is_empty() {
                self.tally.refused += refused(&pipelined(&mut self.con, commands));
            }
            pipelined(&mut self.there, &asked)
        } else {
            let all = [commands, &asked].concat();
            let replies = pipelined(&mut self.con, &all);
            self.tally.refused += refused(&replies[..commands.len()]);
            replies
        };
        let Some(Value::Array(replies)) = replies.pop() else { panic!("EXEC gave no array") };
        let [news, rows, left] = replies.as_slice() else { panic!("EXEC gave {}", replies.len()) };
        let news = News::of(news);
        let now = news.now;
        let count = match () {
            () if news.whole => &mut self.tally.whole,
            () if news.is_nothing() => &mut self.tally.nothing,
            () => &mut self.tally.part,
        };
        *count += 1;
        copy.take(news);
        if forgets {
            copy.forget_expired(now);
        }

        let Value::BulkString(rows) = rows else { panic!("GETALL gave {}", show(rows)) };
        let rows: BTreeMap<String, Fields> = serde_json::from_slice(rows).unwrap();
        let live = copy.live(now);
        self.tally.rows += live.len();
        let same = live.len() == rows.len()
            && rows.iter().all(|(id, row)| live.get(id.as_str()).is_some_and(|(_, copied)| *copied == row));
        let left: Vec<i64> = redis::from_redis_value(left.clone()).unwrap();
        let expires = |id: &String| match live.get(id.as_str()) {
            None => -2,
            Some((None, _)) => -1,
            Some((Some(at), _)) => at - now,
        };
        if !same || !ids.iter().map(expires).eq(left.iter().copied()) {
            let differ: Vec<_> = live.keys().copied().filter(|id| !rows.contains_key(*id)).collect();
            let lacks: Vec<_> = rows.keys().filter(|id| !live.contains_key(id.as_str())).collect();
            panic!(
                "step {}, at {now}, copy {form} of {} (on the replica: {is_there}) differs from the table: \
                 too much {differ:?}, too little {lacks:?}, {ids:?} expire in {left:?} after\n{}",
                self.tally.steps,
                KEYS[key],
                self.last.iter().cloned().collect::<Vec<_>>().join("\n"),
            );
        }
    }

    /// Nothing was written since: nothing is told, unless the table has expired.
    fn ask_again(&mut self, key: usize, form: usize) {
        let (_, fields, in_json, _) = FORMS[form];
        let copy = &self.copies[&(key, form)];
        let reply =
            cmd(&mut self.con, &call(&["VEHPRICE.CHANGES", KEYS[key], &copy.revision], fields, in_json));
        let news = News::of(&reply);
        let is_gone = news.revision == "0" && news.whole && news.groups.is_empty();
        let is_nothing = news.revision == copy.revision && news.is_nothing();
        assert!(is_gone || is_nothing, "step {}: {}", self.tally.steps, show(&reply));
    }

    /// The replica leaves, and comes back for all there is.
    fn full_sync(&mut self) {
        self.note("a full sync");
        let before = self.primary.info::<usize>("stats", "sync_full").unwrap();
        cmd(&mut self.there, "REPLICAOF NO ONE");
        follow(&self.replica, &self.primary);
        self.tally.syncs += self.primary.info::<usize>("stats", "sync_full").unwrap() - before;
    }

    /// The replica is the primary from now on, and the primary its replica.
    fn fail_over(&mut self) {
        self.note("a failover");
        cmd(&mut self.there, "REPLICAOF NO ONE");
        follow(&self.primary, &self.replica);
        std::mem::swap(&mut self.primary, &mut self.replica);
        std::mem::swap(&mut self.con, &mut self.there);
    }
}

/// A call with the fields and the form asked for.
fn call(first: &[&str], fields: &[&str], in_json: bool) -> Vec<Vec<u8>> {
    let mut call: Vec<Vec<u8>> = first.iter().map(|word| word.as_bytes().to_vec()).collect();
    if !fields.is_empty() {
        call.extend(words(&format!("FIELDS {} {}", fields.len(), fields.join(" "))));
    }
    if in_json {
        call.extend(words("JSON"));
    }
    call
}

fn refused(replies: &[Value]) -> usize {
    replies.iter().filter(|reply| matches!(reply, Value::ServerError(_))).count()
}

#[apply(each_server)]
fn a_copy_is_the_table(#[case] kind: Kind) {
    compare_copies(kind, Run::on(kind));
}

/// On the one server of `make test` that was built to defragment.
#[test]
fn a_copy_is_the_table_while_pieces_move() {
    let run = Run::on(Kind::REDIS_8_2);
    for server in [&run.primary, &run.replica] {
        for setting in [
            "active-defrag-ignore-bytes 1",
            "active-defrag-threshold-lower 0",
            "active-defrag-cycle-min 5",
            "active-defrag-cycle-max 10",
            "activedefrag yes",
        ] {
            cmd(&mut server.connection(), &format!("CONFIG SET {setting}"));
        }
    }
    let moved = compare_copies(Kind::REDIS_8_2, run);
    assert!(moved > 0, "nothing was moved");
}

/// Returns how many pieces the server moved meanwhile.
fn compare_copies(kind: Kind, mut run: Run) -> usize {
    let steps = if full() { 250_000 } else { 5000 };
    let begun = Instant::now();
    let rng = &mut Rng::seeded(seed_of(kind));
    for _ in 0..steps {
        run.step(rng);
    }
    // The oldest copies too.
    for (key, form) in run.copies.keys().copied().collect::<Vec<_>>() {
        run.ask(rng, key, form, &[]);
    }
    let moved: usize = run.primary.info("stats", "active_defrag_hits").unwrap();
    let Tally { refused, rows, whole, nothing, part, syncs, .. } = run.tally;
    let asked = whole + nothing + part;
    assert!(refused < steps / 4, "{refused} of {steps} commands were refused");
    for (what, count) in [("whole", whole), ("in part", part), ("with nothing", nothing)] {
        assert!(count > asked / 20, "{count} of {asked} answers were {what}");
    }
    assert!(syncs > 0 && [&run.primary, &run.replica].iter().all(|server| !server.log().contains("panic")));
    report(
        kind,
        "copies kept by VEHPRICE.CHANGES",
        &format!(
            "{steps} steps: {part} answers of what had changed, {nothing} of nothing, {whole} whole; \
             {rows} rows compared, {syncs} full syncs, {moved} pieces moved, in {:.0?}",
            begun.elapsed()
        ),
    );
    moved
}
