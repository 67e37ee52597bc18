//! VEHPRICE.MGETHASH: the per-vehicle hashes of pods not yet moved, in one call.

use super::*;

#[apply(each_server)]
fn gives_what_hgetall_gives_key_by_key(#[case] kind: Kind) {
    let of_64 = (0..64).map(|field| format!("f{field} v{field}")).collect::<Vec<_>>().join(" ");
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let con = &mut clients.resp2;
    cmd(con, "HSET h:1 styleId 17 pricingId 571");
    cmd(con, &["HSET", "h:2", "a", ""]);
    cmd(con, &["HSET", "h:3", "é \"\\", "角色\0\r\n", "n", "-17"]);
    cmd(con, &[b"HSET".as_slice(), b"h:\xff", b"\xfe", b"\xfd\0"]);
    cmd(con, &format!("HSET h:64 {of_64}"));
    // Kept in another way than small ones.
    cmd(con, &["HSET", "h:long", "a", &"x".repeat(100_000), "b", "2"]);
    let of_600 = (0..600).map(|field| format!("f{field} v{field}")).collect::<Vec<_>>().join(" ");
    cmd(con, &format!("HSET h:600 {of_600}"));
    assert_eq!(text(con, "OBJECT ENCODING h:600"), "hashtable");
    clients.check("VEHPRICE.MGETHASH h:1", r#"[{"styleId":"17","pricingId":"571"}]"#);
    clients.check("VEHPRICE.MGETHASH none", "[null]");
    clients.check(
        "vehprice.mgethash h:2 none h:1 h:2",
        r#"[{"a":""},null,{"styleId":"17","pricingId":"571"},{"a":""}]"#,
    );
    let keys: [&[u8]; 9] = [b"h:1", b"h:2", b"h:3", b"h:\xff", b"none", b"h:64", b"h:long", b"h:600", b""];
    let all = [&[b"VEHPRICE.MGETHASH".as_slice()], keys.as_slice()].concat();
    for (con, resp3) in [(&mut clients.resp2, false), (&mut clients.resp3, true)] {
        let Value::Array(entries) = cmd(con, &all) else { panic!("no array") };
        assert_eq!(entries.len(), keys.len());
        for (key, entry) in keys.iter().zip(&entries) {
            let hash = cmd(con, &[b"HGETALL".as_slice(), key]);
            if pairs(&hash).is_empty() {
                assert_eq!(*entry, Value::Nil);
            } else {
                assert_eq!(matches!(entry, Value::Map(_)), resp3);
                assert!(pairs(entry) == pairs(&hash), "{}", String::from_utf8_lossy(key));
            }
        }
    }
}

#[apply(each_server)]
fn hides_what_has_expired(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let con = &mut clients.resp2;
    cmd(con, "HSET h:1 a 1");
    cmd(con, "HSET h:2 a 2");
    cmd(con, "PEXPIRE h:1 1");
    rest(3);
    assert_eq!(reply(con, "VEHPRICE.MGETHASH h:1 h:2"), r#"[nil, ["a", "2"]]"#);
    // Fields with an expiry of their own.
    if kind.version() >= if kind.is_valkey() { (9, 0) } else { (7, 4) } {
        cmd(con, "HSET h:3 a 1 b 2");
        cmd(con, "HPEXPIRE h:3 1 FIELDS 1 a");
        cmd(con, "HSET h:4 a 1");
        cmd(con, "HPEXPIRE h:4 1 FIELDS 1 a");
        rest(3);
        // A hash that is left without fields is there until the server removes it.
        assert_eq!(reply(con, "VEHPRICE.MGETHASH h:3 h:4"), r#"[["b", "2"], nil]"#);
        cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
        cmd(con, "HSET h:5 a 1");
        cmd(con, "HPEXPIRE h:5 1 FIELDS 1 a");
        rest(3);
        assert_eq!(int(con, "EXISTS h:5"), 1);
        assert_eq!(reply(con, "HGETALL h:5"), "[]");
        for con in [&mut clients.resp2, &mut clients.resp3] {
            assert_eq!(reply(con, "VEHPRICE.MGETHASH h:5"), "[nil]");
        }
    }
}

#[apply(each_server)]
fn takes_as_many_keys_as_the_setting_says(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let keys: Vec<String> = (0..8000).map(|key| format!("h:{key}")).collect();
    for key in &keys {
        cmd(con, &["HSET", key, "id", key]);
    }
    let Value::Array(entries) = cmd(con, &format!("VEHPRICE.MGETHASH {}", keys.join(" "))) else {
        panic!("no array")
    };
    let expected: Vec<String> = keys.iter().map(|key| format!(r#"["id", "{key}"]"#)).collect();
    assert!(entries.iter().map(show).collect::<Vec<_>>() == expected);
    cmd(con, "CONFIG SET quotelock.max-batch 7999");
    let refused = "ERR too many keys, 8000 are more than quotelock.max-batch, 7999";
    assert_eq!(error(con, &format!("VEHPRICE.MGETHASH {}", keys.join(" "))), refused);
}
