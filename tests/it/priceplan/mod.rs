//! PRICEPLAN: which ids go out and where they go that come back, as tables of cases, on every server.

mod effects;
mod errors;
pub(crate) mod introspection;
mod nodes;
mod switch;

use redis::Connection;

use crate::harness::*;

/// What the toggle holds; for `571` and `571_old` what goes out, and where they go.
const MODES: [(&[&str], [&str; 2], [&str; 2]); 4] = [
    (&["", "1", "old", "OLD"], ["571_old", "571_old"], ["Legacy", "Legacy"]),
    (&["2", "new", "New"], ["571", "571_old"], ["Core", "Retired"]),
    (&["3", "both", "bOTH"], ["571", "571_old"], ["Core", "Legacy"]),
    (&["4", "back", "BACK"], ["571_old", "571_old"], ["Retired", "Legacy"]),
];

/// Sets the toggle, or deletes it where it is to hold nothing.
fn put(con: &mut Connection, value: &str) {
    if value.is_empty() {
        cmd(con, "DEL toggle");
    } else {
        cmd(con, &["SET", "toggle", value]);
    }
}

#[apply(each_server)]
fn every_mode_tags_and_routes_both_forms_of_an_id(#[case] kind: Kind) {
    let server = &Server::start(kind);
    for mut con in [server.connection(), server.connection_resp3()] {
        for (values, [tag, tag_old], [route, route_old]) in MODES {
            for value in values {
                put(&mut con, value);
                let tags = reply(&mut con, "PRICEPLAN.TAG toggle 571 571_old");
                assert_eq!(tags, format!(r#"["{tag}", "{tag_old}"]"#), "{value}");
                let routes = reply(&mut con, "PRICEPLAN.ROUTE toggle 571 571_old");
                assert_eq!(routes, format!(r#"[["{route}", "571"], ["{route_old}", "571"]]"#), "{value}");
                // One by one, and again.
                assert_eq!(reply(&mut con, "PRICEPLAN.TAG toggle 571"), format!(r#"["{tag}"]"#));
                assert_eq!(
                    reply(&mut con, "PRICEPLAN.ROUTE toggle 571_old 571_old"),
                    format!(r#"[["{route_old}", "571"], ["{route_old}", "571"]]"#)
                );
            }
        }
    }
}

#[apply(each_server)]
fn an_id_is_any_text(#[case] kind: Kind) {
    let longest = "x".repeat(256);
    // The id, and its bare form if it is tagged.
    let cases = [
        ("5", None),
        (" ", None),
        ("a b\r\n\0", None),
        ("é\u{1f6f4}", None),
        ("\"'\\", None),
        ("JSON", None),
        ("571_OLD", None),
        ("571_old ", None),
        ("571old", None),
        ("_old571", None),
        (&longest, None),
        ("é_old", Some("é")),
        ("__old", Some("_")),
        ("571_old_old", Some("571_old")),
        (&format!("{longest}_old"), Some(&longest)),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (id, bare) in cases {
        let is_tagged = bare.is_some();
        let tagged = if is_tagged { id.to_owned() } else { format!("{id}_old") };
        let bare = bare.unwrap_or(id);
        put(con, "old");
        assert_eq!(reply(con, &["PRICEPLAN.TAG", "toggle", id]), format!(r#"["{tagged}"]"#), "{id}");
        let routed = reply(con, &["PRICEPLAN.ROUTE", "toggle", id]);
        assert_eq!(routed, format!(r#"[["Legacy", "{bare}"]]"#), "{id}");
        put(con, "new");
        assert_eq!(reply(con, &["PRICEPLAN.TAG", "toggle", id]), format!(r#"["{id}"]"#), "{id}");
        let route = if is_tagged { "Retired" } else { "Core" };
        let routed = reply(con, &["PRICEPLAN.ROUTE", "toggle", id]);
        assert_eq!(routed, format!(r#"[["{route}", "{bare}"]]"#), "{id}");
    }
}

#[apply(each_server)]
fn the_toggle_is_any_string_however_it_was_written(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let ways: [(&[&str], &str); 8] = [
        (&["SET toggle 3"], "Core"),
        (&["SET toggle 1", "INCR toggle"], "Core"),
        (&["SET toggle bo", "APPEND toggle th"], "Core"),
        (&["SET toggle 44", "SETRANGE toggle 1 \0", "SET toggle 4"], "Retired"),
        (&["SET toggle 2 EX 1000"], "Core"),
        (&["SET toggle 4", "COPY toggle other", "DEL toggle", "RENAME other toggle"], "Retired"),
        (&["SET toggle 4 PX 1", "DEBUG SLEEP 0.01"], "Legacy"),
        (&["SET other 4"], "Legacy"),
    ];
    for (way, route) in ways {
        cmd(con, "FLUSHALL");
        for command in way {
            cmd(con, *command);
        }
        for _ in 0..2 {
            let routed = reply(con, "PRICEPLAN.ROUTE toggle 571");
            assert_eq!(routed, format!(r#"[["{route}", "571"]]"#), "{way:?}");
        }
    }
    // A key of any bytes, in the database that is selected.
    cmd(con, "FLUSHALL");
    cmd(con, "SELECT 3");
    cmd(con, &[b"SET".as_slice(), b"\xff\0", b"2"]);
    let tag = [b"PRICEPLAN.TAG".as_slice(), b"\xff\0", b"571"];
    assert_eq!(reply(con, &tag), r#"["571"]"#);
    cmd(con, "SELECT 0");
    assert_eq!(reply(con, &tag), r#"["571_old"]"#);
}

#[apply(each_server)]
fn a_large_batch_is_answered_in_order(#[case] kind: Kind) {
    const IDS: usize = 10_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    put(con, "both");
    let ids: Vec<String> =
        (0..IDS).map(|id| if id % 3 == 0 { format!("{id}_old") } else { id.to_string() }).collect();
    let tags = cmd(con, &format!("PRICEPLAN.TAG toggle {}", ids.join(" ")));
    assert_eq!(redis::from_redis_value::<Vec<String>>(tags).unwrap(), ids);
    let routes = cmd(con, &format!("PRICEPLAN.ROUTE toggle {}", ids.join(" ")));
    let routes: Vec<(String, String)> = redis::from_redis_value(routes).unwrap();
    assert_eq!(routes.len(), IDS);
    for (id, (route, bare)) in routes.iter().enumerate() {
        assert_eq!(*bare, id.to_string());
        assert_eq!(route, if id % 3 == 0 { "Legacy" } else { "Core" }, "{id}");
    }
}
