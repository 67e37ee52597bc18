//! MGET … BLOCK … LIST: waits for and is woken by the rows of its list, and gives back what it kept.

use super::*;

/// What is waited for, what is done, and what is answered. Rows 2 to 4 and `é"` are claimed, row 1 is there.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: [Case; 9] = [
    ("JSON BLOCK 0 LIST [2]", &["VEHPRICE.SET t 2 FIELDS 1 a new"], r#"[{"a":"new"}]"#),
    (
        r#"BLOCK 0 JSON LIST ["1","2","9"]"#,
        &["VEHPRICE.MSET t TOKEN {T} FIELDS 1 a ROWS 2 new"],
        r#"[{"a":"x"},{"a":"new"},null]"#,
    ),
    (
        r#"JSON BLOCK 0 LIST ["4",3,"2"]"#,
        &[
            "VEHPRICE.SET t 3 FIELDS 1 a y",
            r#"VEHPRICE.MSET t JSON {"2":{"a":"x"}}"#,
            r#"VEHPRICE.MSET t COLUMNS {"ids":["4"],"fields":["a"],"columns":[["z"]]}"#,
        ],
        r#"[{"a":"z"},{"a":"y"},{"a":"x"}]"#,
    ),
    // Ids with escapes are kept as what they mean.
    (
        r#"JSON BLOCK 0 LIST ["\u0032","\u00e9\""]"#,
        &["VEHPRICE.SET t 2 FIELDS 1 a new", r#"VEHPRICE.SET t é" FIELDS 1 a newer"#],
        r#"[{"a":"new"},{"a":"newer"}]"#,
    ),
    (r#"JSON BLOCK 0 LIST ["é\"",1]"#, &["VEHPRICE.RELEASE t {T}"], r#"[null,{"a":"x"}]"#),
    ("JSON BLOCK 0 LIST [2,2]", &["VEHPRICE.DEL t 2"], "[null,null]"),
    (
        "FIELDS 1 a COLUMNS BLOCK 0 LIST [1,2,3]",
        &["VEHPRICE.SET t 2 FIELDS 1 a new", "VEHPRICE.CLEAR t"],
        r#"{"missing":[0,1,2],"columns":[[null,null,null]]}"#,
    ),
    (
        "BLOCK 0 FIELDS 2 a b COLUMNS LIST [2]",
        &[
            "VEHPRICE.SET t 2 TOKEN {T} KEEPCLAIM FIELDS 1 a new",
            r#"VEHPRICE.MSET t TOKEN {T} MERGE JSON {"2":{"b":"more"}}"#,
        ],
        r#"{"missing":[],"columns":[["new"],["more"]]}"#,
    ),
    (
        "FIELDS 1 a COLUMNS BLOCK 0 IDS 3 1",
        &[r#"VEHPRICE.MSET t COLUMNS {"ids":["3"],"fields":["a"],"columns":[["z"]]}"#],
        r#"{"missing":[],"columns":[["z","x"]]}"#,
    ),
];

#[apply(each_server)]
fn is_woken_by_a_row_of_its_list(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (asked, done, answer) in CASES {
        cmd(con, "FLUSHALL");
        cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
        let token = claim(con, "t", r#"IDS 2 3 4 é""#).token;
        let mut client = Asked::waiting(server, con, &format!("VEHPRICE.MGET t {asked}"));
        for (step, command) in done.iter().enumerate() {
            assert!(!client.is_answered(), "{asked}, {step} of {done:?}");
            cmd(con, &command.replace("{T}", &token));
            rest(3);
        }
        assert_eq!(client.answer(), answer, "{asked}, {done:?}");
        assert_eq!(count(con, "claims_waiting"), 0);
        client.send("PING");
        assert_eq!(client.answer(), "PONG");
    }
}

#[apply(each_server)]
fn waits_for_nothing_where_no_row_of_its_list_is_claimed(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    claim(con, "t", "IDS 1");
    for (list, answer) in [("[]", "[]"), ("[2]", "[null]"), (r#"["\u0032"]"#, "[null]")] {
        assert_eq!(text(con, &["VEHPRICE.MGET", "t", "BLOCK", "0", "JSON", "LIST", list]), answer);
    }
    let refused = r#"ERR invalid JSON at byte 4, expected ids like ["4711","4712"]"#;
    assert_eq!(error(con, r#"VEHPRICE.MGET t BLOCK 0 LIST [1,]"#), refused);
    let began = Instant::now();
    assert_eq!(text(con, r#"VEHPRICE.MGET t BLOCK 30 JSON LIST ["\u0031"]"#), "[null]");
    assert!(began.elapsed() >= Duration::from_millis(30));
    assert_eq!(count(con, "claims_waiting"), 0);
}

/// Many that wait keep their argument and little more (the server keeps as much again for the next one), and it
/// is given back however they go.
#[apply(each_server)]
fn what_a_list_keeps_is_given_back(#[case] kind: Kind) {
    const WAITING: usize = 60;
    const IDS: usize = 4000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let used = |con: &mut Connection| info(con, "memory")["used_memory"].parse::<i64>().unwrap();
    let ids: Vec<String> = (0..IDS).map(|id| format!("vehicle-{id:08}")).collect();
    let plain = id_list(&ids);
    // One escape, and each id is kept by itself.
    let escaped = plain.replacen('v', "\\u0076", 1);
    let before = used(con);
    for (list, most) in [(&plain, 4 * plain.len()), (&escaped, 7 * plain.len())] {
        for end in ["VEHPRICE.CLEAR t", "FLUSHALL", "VEHPRICE.RELEASE t {T}", "", "hang up"] {
            let token = claim(con, "t", &format!("IDS {}", ids.join(" "))).token;
            let claimed = used(con);
            let read = format!("VEHPRICE.MGET t JSON BLOCK 0 LIST {list}");
            let mut clients: Vec<Asked> = (0..WAITING).map(|_| Asked::of(server, &read)).collect();
            eventually(TIMEOUT, || (count(con, "claims_waiting") == WAITING as i64).then_some(()));
            let each = (used(con) - claimed) as usize / WAITING;
            assert!(each < most, "{each} bytes for a list of {}", list.len());
            match end {
                "" => {
                    let rows: Vec<_> = ids.iter().map(|id| format!("{id} 1")).collect();
                    cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", rows.join(" ")));
                }
                "hang up" => clients.iter_mut().for_each(Asked::hang_up),
                end => {
                    cmd(con, &end.replace("{T}", &token));
                }
            }
            if end != "hang up" {
                let answer = if end.is_empty() { r#"{"a":"1"}"# } else { "null" };
                let answer = format!("[{}]", vec![answer; IDS].join(","));
                assert!(clients.iter_mut().all(|client| client.answer() == answer), "{end}");
            }
            drop(clients);
            cmd(con, "FLUSHALL");
            cmd(con, "VEHPRICE.CLEAR t");
            eventually(TIMEOUT, || (count(con, "claims_waiting") == 0).then_some(()));
            eventually(TIMEOUT, || (used(con) - before < 2_000_000).then_some(()));
        }
    }
}
