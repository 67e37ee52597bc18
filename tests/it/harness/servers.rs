//! The servers that tests run on, each a case of its own.

use rstest_reuse::template;

/// Makes a template of these cases, and of one for each server that only `make test ALL=1` runs on.
///
/// A server more is a line here, its `Kind` in `crates/testkit` and its source in `tests/servers.txt`.
macro_rules! with_all_others {
    ($(#[$($line:tt)*])* $name:ident) => {
        #[template]
        #[rstest]
        $(#[$($line)*])*
        #[ignore = "for make test ALL=1"]
        #[case::all_redis_7_2(Kind::REDIS_7_2)]
        #[ignore = "for make test ALL=1"]
        #[case::all_redis_7_4(Kind::REDIS_7_4)]
        #[ignore = "for make test ALL=1"]
        #[case::all_redis_8_0(Kind::REDIS_8_0)]
        #[ignore = "for make test ALL=1"]
        #[case::all_redis_8_2(Kind::REDIS_8_2)]
        #[ignore = "for make test ALL=1"]
        #[case::all_redis_8_6(Kind::REDIS_8_6)]
        #[ignore = "for make test ALL=1"]
        #[case::all_valkey_8_1(Kind::VALKEY_8_1)]
        pub(crate) fn $name(#[case] kind: Kind) {}
    };
}

with_all_others! {
    /// Runs the test on the oldest and newest Redis and the oldest and newest Valkey; on the others in
    /// `make test ALL=1`.
    #[case::redis_7_0(Kind::REDIS_7_0)]
    #[case::redis_8_10(Kind::REDIS_8_10)]
    #[case::valkey_8_0(Kind::VALKEY_8_0)]
    #[case::valkey_9_1(Kind::VALKEY_9_1)]
    each_server
}

with_all_others! {
    /// Runs the test on the oldest server and the newest; on the others in `make test ALL=1`.
    #[case::redis_7_0(Kind::REDIS_7_0)]
    #[case::valkey_9_1(Kind::VALKEY_9_1)]
    #[ignore = "for make test ALL=1"]
    #[case::all_redis_8_10(Kind::REDIS_8_10)]
    #[ignore = "for make test ALL=1"]
    #[case::all_valkey_8_0(Kind::VALKEY_8_0)]
    oldest_and_newest
}

with_all_others! {
    /// Runs the test on the oldest server and the newest; on two more in `make soak`, on the others in
    /// `make test ALL=1`.
    #[case::redis_7_0(Kind::REDIS_7_0)]
    #[ignore = "for make soak"]
    #[case::redis_8_10(Kind::REDIS_8_10)]
    #[ignore = "for make soak"]
    #[case::valkey_8_0(Kind::VALKEY_8_0)]
    #[case::valkey_9_1(Kind::VALKEY_9_1)]
    two_servers
}

/// Runs the test on the servers that move a slot as a whole, Redis from 8.4 on and Valkey from 9.0 on; on one more in
/// `make test ALL=1`.
#[template]
#[rstest]
#[case::redis_8_10(Kind::REDIS_8_10)]
#[case::valkey_9_1(Kind::VALKEY_9_1)]
#[ignore = "for make test ALL=1"]
#[case::all_redis_8_6(Kind::REDIS_8_6)]
pub(crate) fn whole_slots(#[case] kind: Kind) {}

/// Runs the test on one server; on the others in `make soak`.
#[template]
#[rstest]
#[case::redis_7_0(Kind::REDIS_7_0)]
#[ignore = "for make soak"]
#[case::redis_8_10(Kind::REDIS_8_10)]
#[ignore = "for make soak"]
#[case::valkey_8_0(Kind::VALKEY_8_0)]
#[ignore = "for make soak"]
#[case::valkey_9_1(Kind::VALKEY_9_1)]
pub(crate) fn one_server(#[case] kind: Kind) {}

/// The library's path, for `MODULE LOAD`.
#[track_caller]
pub(crate) fn module() -> String {
    quotelock_testkit::module().unwrap().to_str().unwrap().to_owned()
}
