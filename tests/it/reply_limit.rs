//! `max-reply-bytes`: no reply is longer, whichever command and form, and what a refused one costs.

use redis::{Connection, Value};

use crate::harness::*;

/// The least the setting can be.
const MIN: usize = 2 << 20;

const LONG_VALUE: usize = 1 << 20;

fn refused(limit: usize) -> String {
    format!(
        "ERR the reply would be longer than quotelock.max-reply-bytes, {limit}, ask for fewer rows or fields"
    )
}

fn set_limit(con: &mut Connection, limit: usize) {
    cmd(con, &format!("CONFIG SET quotelock.max-reply-bytes {limit}"));
}

/// The words of a command, and the same argument `count` times.
fn repeated(command: &str, argument: &str, count: usize) -> Vec<String> {
    let words = command.split(' ').map(str::to_owned);
    words.chain(std::iter::repeat_n(argument.to_owned(), count)).collect()
}

/// A lock of many role ids that someone else wrote, a table `t` with long values in row 1, one that JSON escapes in row 2, and a short one in row 3; a table
/// of many short rows, one whose rows have expiries of their own; a hash `h`, and a toggle.
fn fill(con: &mut Connection) {
    let ids = vec!["1"; 600_000].join(",");
    let lock = format!(r#"{{"roleIds":[{ids}],"queryTime":"2096-10-02T07:06:40Z"}}"#);
    cmd(con, &["SET", "lock", &lock]);
    let value = "x".repeat(LONG_VALUE);
    cmd(
        con,
        &["VEHPRICE.SET", "t", "1", "PX", "60000000", "FIELDS", "3", "a", &value, "b", &value, "c", "7"],
    );
    cmd(con, &["VEHPRICE.SET", "t", "2", "FIELDS", "1", "a", &"\u{1}".repeat(LONG_VALUE / 2)]);
    cmd(con, &format!("VEHPRICE.SET t 3 PXAT {LATEST_EXPIRY} FIELDS 3 a 7 b 7 c 7"));
    let rows: Vec<String> = (0..40_000).map(|id| format!("{id:0>60} 7")).collect();
    cmd(con, &format!("VEHPRICE.MSET many FIELDS 1 a ROWS {}", rows.join(" ")));
    for id in 0..200 {
        cmd(con, &format!("VEHPRICE.SET each {id} PXAT {} FIELDS 1 a 7", LATEST_EXPIRY - id));
    }
    cmd(con, &["HSET", "h", "a", &value, "b", "7"]);
    cmd(con, "SET toggle 3");
}

/// The names that were asked for are told with each expiry.
fn long_names_of_short_rows(form: &str) -> String {
    let names: Vec<String> = (0..64).map(|name| format!("{name:n>250}")).collect();
    format!("VEHPRICE.CHANGES each 0 {form}FIELDS 64 {}", names.join(" "))
}

/// Calls whose replies are longer than the setting can be at the least.
fn long_calls() -> Vec<Vec<String>> {
    let id = "p".repeat(256);
    vec![
        repeated("QUOTELOCK.GET lock", "", 0),
        repeated("QUOTELOCK.GET lock JSON", "", 0),
        repeated("QUOTELOCK.ACQUIRE lock 3 *", "", 0),
        repeated("QUOTELOCK.ACQUIRE lock 3 * JSON", "", 0),
        repeated("VEHPRICE.GET t 1", "", 0),
        repeated("VEHPRICE.GET t 1 FIELDS 4 a b c none", "", 0),
        repeated("VEHPRICE.GET t 1 JSON", "", 0),
        repeated("VEHPRICE.GET t 2 JSON", "", 0),
        repeated("VEHPRICE.GET t 1 FIELDS 3 a a none JSON RAW 1 a", "", 0),
        repeated("VEHPRICE.MGET t 1", "", 0),
        repeated("VEHPRICE.MGET t 2 none", "2", 4),
        repeated("VEHPRICE.MGET t FIELDS 2 c b IDS none", "1", 3),
        repeated("VEHPRICE.MGET t BLOCK 1 IDS", "1", 2),
        repeated("VEHPRICE.MGET t BLOCK 1 JSON IDS", "1", 2),
        repeated("VEHPRICE.MGET t JSON IDS none", "1", 5),
        repeated("VEHPRICE.MGET t JSON IDS none", "2", 5),
        repeated("VEHPRICE.MGET t JSON RAW 1 c IDS none", "1", 5),
        repeated("VEHPRICE.MGET t FIELDS 3 c c c JSON RAW 1 c IDS none", "3", 110_000),
        repeated("VEHPRICE.MGET t none", "3", 50_000),
        repeated("VEHPRICE.MGET t JSON RAW 3 a b c IDS none", "3", 110_000),
        repeated("VEHPRICE.MGET t FIELDS 2 b c COLUMNS IDS none", "1", 3),
        repeated("VEHPRICE.MGET t COLUMNS FIELDS 1 a IDS", "2", 2),
        repeated("VEHPRICE.MGET t FIELDS 3 none c c COLUMNS IDS none", "3", 190_000),
        repeated("VEHPRICE.MGET t LIST [1,1]", "", 0),
        repeated(r#"VEHPRICE.MGET t JSON LIST [1,"\u0031"]"#, "", 0),
        repeated("VEHPRICE.MGET t FIELDS 1 a COLUMNS LIST [1,2,1]", "", 0),
        repeated("VEHPRICE.GETALL t COLUMNS", "", 0),
        repeated("VEHPRICE.GETALL many COLUMNS", "", 0),
        repeated("VEHPRICE.GETALL many COLUMNS FIELDS 2 none a", "", 0),
        repeated("VEHPRICE.GETALL many", "", 0),
        repeated("VEHPRICE.GETALL many FIELDS 1 a", "", 0),
        repeated("VEHPRICE.GETALL many JSON", "", 0),
        repeated("VEHPRICE.GETALL many FIELDS 1 a JSON RAW 1 a", "", 0),
        repeated("VEHPRICE.SCAN many 0 COUNT 100000", "", 0),
        repeated("VEHPRICE.SCAN many 0 COUNT 100000 FIELDS 1 none JSON", "", 0),
        repeated("VEHPRICE.GETALL t", "", 0),
        repeated("VEHPRICE.GETALL t FIELDS 2 a b", "", 0),
        repeated("VEHPRICE.GETALL t JSON", "", 0),
        repeated("VEHPRICE.CHANGES t 0", "", 0),
        repeated("VEHPRICE.CHANGES t 0 FIELDS 3 b none a", "", 0),
        repeated("VEHPRICE.CHANGES t 0 JSON", "", 0),
        repeated("VEHPRICE.CHANGES many 0", "", 0),
        repeated("VEHPRICE.CHANGES many 0 FIELDS 2 a none JSON", "", 0),
        repeated(&long_names_of_short_rows(""), "", 0),
        repeated(&long_names_of_short_rows("JSON "), "", 0),
        repeated("VEHPRICE.SCAN t 0", "", 0),
        repeated("VEHPRICE.SCAN t 0 JSON", "", 0),
        repeated("VEHPRICE.VERIFY t 1 c 7", "", 0),
        repeated("VEHPRICE.VERIFY t 1 c 8 JSON", "", 0),
        repeated("VEHPRICE.CLAIM t PX 1000 IDS", "1", 3),
        repeated("VEHPRICE.CLAIM t PX 1000 JSON IDS", "1", 3),
        repeated("VEHPRICE.CLAIM t PX 1000 FIELDS 1 a COLUMNS IDS", "1", 3),
        repeated("VEHPRICE.CLAIM t PX 1000 LIST [1,1]", "", 0),
        repeated("VEHPRICE.PTTL t none", "3", 120_000),
        repeated("VEHPRICE.MGETHASH none", "h", 3),
        repeated("PRICEPLAN.TAG toggle", &id, 10_000),
        repeated("PRICEPLAN.ROUTE toggle", &id, 10_000),
    ]
}

#[apply(each_server)]
fn bounds_every_reply_to_the_byte(#[case] kind: Kind) {
    let server = &Server::builder(kind).module_args("max-batch 200000 price-ttl-ms 3600000").start();
    let (con, resp3) = (&mut server.connection(), &mut server.connection_resp3());
    fill(con);
    for (count, words) in long_calls().into_iter().enumerate() {
        let shown = brief(&words.words());
        set_limit(con, 512 << 20);
        let (replies, bytes) =
            RawConnection::connect(server.port()).unwrap().pipeline(&packed(&words), 1).unwrap();
        // JSON counts as such, other replies as they are sent.
        let length = if let Some(Value::BulkString(json)) = replies.first() { json.len() } else { bytes };
        assert!(length > MIN, "{shown}: {length}");
        set_limit(con, length);
        assert!(try_cmd(con, &words).is_ok(), "{shown}: {length}");
        assert!(try_cmd(resp3, &words).is_ok(), "{shown}: {length}");
        set_limit(con, length - 1);
        let before = info(con, "quotelock");
        assert_eq!(error(con, &words), refused(length - 1), "{shown}");
        // It counts as refused, and as nothing else.
        let mut after = info(con, "quotelock");
        after.retain(|name, figure| before.get(name) != Some(figure));
        assert_eq!(after.keys().collect::<Vec<_>>(), ["quotelock_replies_refused"], "{shown}");
        set_limit(con, MIN);
        assert_eq!(error(resp3, &words), refused(MIN), "{shown}");
        let counted = &info(con, "quotelock")["quotelock_replies_refused"];
        assert_eq!(*counted, (2 * (count + 1)).to_string(), "{shown}");
    }
}

#[apply(each_server)]
fn bounds_replies_inside_transactions_scripts_and_after_a_wait(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    set_limit(con, MIN);
    let call = "VEHPRICE.MGET t JSON IDS 1 1";
    cmd(con, "MULTI");
    cmd(con, call);
    cmd(con, "SET after 1");
    assert_eq!(reply(con, "EXEC"), format!("[-{}, OK]", refused(MIN)));
    assert_eq!(text(con, "GET after"), "1");
    let script = "return redis.call('VEHPRICE.MGET', 't', '1', '1')";
    assert!(error(con, &["EVAL", script, "0"]).starts_with(&refused(MIN)));
    cmd(con, "VEHPRICE.CLAIM t PX 60000 IDS 3");
    for words in ["VEHPRICE.MGET t BLOCK 20 IDS 3 1 1", "VEHPRICE.MGET t BLOCK 20 JSON IDS 3 1 1"] {
        assert_eq!(error(con, words), refused(MIN), "{words}");
        assert_eq!(error(&mut server.connection_resp3(), words), refused(MIN), "{words}");
    }
    assert_eq!(info(con, "quotelock")["quotelock_claims_waiting"], "0");
}

#[apply(each_server)]
fn a_refused_claim_claims_nothing(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    fill(con);
    set_limit(con, MIN);
    for words in [
        "VEHPRICE.CLAIM t PX 600000 IDS 3 1 1",
        "VEHPRICE.CLAIM t PX 600000 JSON IDS 3 1 1",
        "VEHPRICE.CLAIM t PX 600000 JSON LIST [4,1,1]",
        "VEHPRICE.CLAIM t PX 600000 FIELDS 1 b COLUMNS LIST [4,1,1,1]",
    ] {
        assert_eq!(error(con, words), refused(MIN), "{words}");
        assert_eq!(info(con, "quotelock")["quotelock_claims_pending"], "0", "{words}");
    }
    // Ids alone can be too long.
    let ids: Vec<String> = (0..10_000).map(|id| format!("{id:\u{1}>250}")).collect();
    for form in [
        "VEHPRICE.CLAIM t PX 600000 IDS",
        "VEHPRICE.CLAIM t PX 600000 JSON IDS",
        "VEHPRICE.CLAIM t PX 600000 FIELDS 1 a COLUMNS IDS",
    ] {
        let words: Vec<String> = form.split(' ').map(str::to_owned).chain(ids.clone()).collect();
        assert_eq!(error(con, &words), refused(MIN), "{form}");
        assert_eq!(info(con, "quotelock")["quotelock_claims_pending"], "0", "{form}");
    }
}

/// The measured case: one row of 5.3 kB, asked for 100,000 times.
#[apply(each_server)]
fn a_refused_reply_takes_no_more_memory_than_a_short_one(#[case] kind: Kind) {
    for form in [
        "VEHPRICE.MGET t",
        "VEHPRICE.MGET t JSON IDS",
        "VEHPRICE.MGET t FIELDS 1 a COLUMNS IDS",
        "VEHPRICE.CLAIM t PX 9 JSON IDS",
    ] {
        let [short, long] = [10, 5300].map(|bytes| {
            let server = &Server::start(kind);
            let con = &mut server.connection();
            cmd(con, &["VEHPRICE.SET", "t", "1", "FIELDS", "1", "a", &"x".repeat(bytes)]);
            let answer = try_cmd(con, &repeated(form, "1", 100_000));
            assert_eq!(answer.err(), (bytes > 10).then(|| refused(64 << 20)));
            peak(con)
        });
        assert!(long < short + (4 << 20), "{form}: {long} bytes, {short} for short rows");
    }
}

/// Of a table too: what is too long is known when a first part of it was written.
#[apply(each_server)]
fn a_refused_table_takes_no_more_memory_than_a_short_one(#[case] kind: Kind) {
    for form in [
        "VEHPRICE.GETALL t",
        "VEHPRICE.GETALL t JSON",
        "VEHPRICE.GETALL t COLUMNS",
        "VEHPRICE.SCAN t 0 COUNT 20000 JSON",
        "VEHPRICE.CHANGES t 0",
        "VEHPRICE.CHANGES t 0 JSON",
    ] {
        let server = &Server::start(kind);
        let con = &mut server.connection();
        let value = "x".repeat(5300);
        for first in (0..16_000).step_by(1000) {
            let rows: Vec<String> = (first..first + 1000).map(|id| format!("{id} {value}")).collect();
            cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", rows.join(" ")));
        }
        let before = peak(con);
        assert_eq!(error(con, form), refused(64 << 20));
        assert!(peak(con) < before + (4 << 20), "{form}: {} bytes, {before} before", peak(con));
    }
}

/// One of ours, that is.
#[apply(each_server)]
fn never_refuses_a_lock(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    set_limit(con, MIN);
    let ids = vec![format!("\"{}\"", "\\u0001".repeat(256)); 1024].join(",");
    let acquire = &["QUOTELOCK.ACQUIRE", "user", &format!("[{ids}]"), "*", "JSON"];
    let json = text(con, acquire);
    assert!(json.len() > 1024 * 256 * 6 && json.len() < MIN);
    assert!(text(con, "QUOTELOCK.GET user JSON").len() < MIN);
    let get = packed(&["QUOTELOCK.GET", "user"]);
    let (_, bytes) = RawConnection::connect(server.port()).unwrap().pipeline(&get, 1).unwrap();
    assert!(bytes > 1024 * 256 && bytes < MIN);
}
