//! VEHPRICE.PTTL: how long each row has left.

use super::*;

#[apply(each_server)]
fn answers_id_by_id(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    clients.check("VEHPRICE.PTTL absent a b", "[-2,-2]");
    let con = &mut clients.resp2;
    let before = now();
    for (id, expiry) in [("a", before + 50_000), ("b", before + 700_000), ("far", 253_402_300_799_999)] {
        cmd(con, &format!("VEHPRICE.SET t {id} PXAT {expiry} FIELDS 1 x 1"));
    }
    cmd(con, "VEHPRICE.SET t gone PX 1 FIELDS 1 x 1");
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
    cmd(con, "VEHPRICE.SET t never FIELDS 1 x 1");
    rest(3);
    for con in [&mut clients.resp2, &mut clients.resp3] {
        let asked_at = now();
        let left = int_list(con, "VEHPRICE.PTTL t b none never a gone far a");
        let passed = 0..=now() - asked_at;
        let passed_since = |expiry: i64, left: i64| expiry - asked_at - left;
        assert_eq!(left.len(), 7);
        assert_eq!((left[1], left[2], left[4]), (-2, -1, -2));
        for (index, expiry) in
            [(0, before + 700_000), (3, before + 50_000), (5, 253_402_300_799_999), (6, before + 50_000)]
        {
            assert!(passed.contains(&passed_since(expiry, left[index])), "{left:?}");
        }
        assert_eq!(left[3], left[6]);
    }
}
