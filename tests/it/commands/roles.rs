//! Role ids: the forms they are given in, and the one they are kept in.

use super::*;

#[apply(each_server)]
fn are_kept_as_json_stringify_writes_them(#[case] kind: Kind) {
    let comma_list_of_1024 = (1..=1024).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let of_1024 = format!("[\"{}\"]", comma_list_of_1024.replace(',', "\",\""));
    let id_of_256 = "x".repeat(256);
    let escaped_id_of_256 = format!("[\"{}\"]", r"\u0100".repeat(128));
    // As given; as stored.
    let cases = [
        (r#"["3","7"]"#, r#"["3","7"]"#),
        (r#" [ "3" , "7" ] "#.trim(), r#"["3","7"]"#),
        ("[\n\t\"3\",\r\n\t\"7\"\n]", r#"["3","7"]"#),
        ("3,7", r#"["3","7"]"#),
        ("3", r#"["3"]"#),
        ("7,3,7", r#"["7","3","7"]"#),
        ("[]", "[]"),
        ("[ ]", "[]"),
        ("[3,7]", r#"["3","7"]"#),
        (r#"[3,"7",0,-1]"#, r#"["3","7","0","-1"]"#),
        ("[9007199254740993]", r#"["9007199254740993"]"#),
        ("[123456789012345678901234567890]", r#"["123456789012345678901234567890"]"#),
        ("[1.50,1e3,-0,2E+05]", r#"["1.50","1e3","-0","2E+05"]"#),
        ("a-b_c.d:e/f,%s%n,it's,<&>,\\n", r#"["a-b_c.d:e/f","%s%n","it's","<&>","\\n"]"#),
        ("Ā,é,角色,🚲", r#"["Ā","é","角色","🚲"]"#),
        (r#"["Ā","é","角色","🚲"]"#, r#"["Ā","é","角色","🚲"]"#),
        (r#"["\u0100\u00e9\ud83d\udeb2\u0041\/"]"#, r#"["Āé🚲A/"]"#),
        (r#"["\"","\\","\b\f\n\r\t"]"#, r#"["\"","\\","\b\f\n\r\t"]"#),
        (r#"["\u0008\u000c\u000a\u000d\u0009"]"#, r#"["\b\f\n\r\t"]"#),
        (r#"["\u0000\u0001\u000B\u001F\u007f"]"#, "[\"\\u0000\\u0001\\u000b\\u001f\u{7f}\"]"),
        (
            "[\" \u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{ffff}\"]",
            "[\" \u{7f}\u{80}\u{2028}\u{2029}\u{feff}\u{ffff}\"]",
        ),
        (r#"["a,b","[]","{}"," "]"#, r#"["a,b","[]","{}"," "]"#),
        (&comma_list_of_1024, &of_1024),
        (&of_1024, &of_1024),
        (&id_of_256, &format!("[\"{id_of_256}\"]")),
        (&format!("[\"{id_of_256}\"]"), &format!("[\"{id_of_256}\"]")),
        (&escaped_id_of_256, &format!("[\"{}\"]", "Ā".repeat(128))),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (given, stored) in cases {
        for command in ["QUOTELOCK.SET", "QUOTELOCK.ACQUIRE"] {
            cmd(con, "DEL user:1");
            cmd(con, &[command, "user:1", given, TIME]);
            assert_eq!(text(con, "GET user:1"), lock(stored, TIME), "{command} {given}");
            let json = format!(r#"{{"roleIds":{stored},"queryTime":"{TIME}","state":"CloseToExpired"}}"#);
            assert_eq!(text(con, "QUOTELOCK.GET user:1 JSON"), json, "{command} {given}");
        }
    }
}

#[apply(each_server)]
fn are_answered_as_the_strings_they_are(#[case] kind: Kind) {
    // As stored by whomever; as answered.
    let cases: [(&str, &[&str]); 7] = [
        (r#"["3","7"]"#, &["3", "7"]),
        ("[]", &[]),
        (r#"[3,9007199254740993,1.50,"x"]"#, &["3", "9007199254740993", "1.50", "x"]),
        (r#"["\u0100\ud83d\udeb2","\"\\\/"]"#, &["Ā🚲", "\"\\/"]),
        (r#"["\u0000\n%s"]"#, &["\0\n%s"]),
        (r#"["a,b"," "]"#, &["a,b", " "]),
        (r#"["角色"]"#, &["角色"]),
    ];
    let server = &Server::start(kind);
    let (resp2, resp3) = (&mut server.connection(), &mut server.connection_resp3());
    for (stored, ids) in cases {
        cmd(resp2, &["SET", "user:1", &lock(stored, TIME)]);
        let quoted: Vec<_> = ids.iter().map(|id| format!("\"{id}\"")).collect();
        let expected = format!("\"roleIds\", [{}], \"queryTime\"", quoted.join(", "));
        let answer = reply(resp2, "QUOTELOCK.GET user:1");
        assert!(answer.contains(&expected), "{stored}: {answer}");
        let expected = format!("\"roleIds\": [{}], \"queryTime\"", quoted.join(", "));
        let answer = reply(resp3, "QUOTELOCK.ACQUIRE user:1 9 * IFMISSING");
        assert!(answer.contains(&expected), "{stored}: {answer}");
    }
}
