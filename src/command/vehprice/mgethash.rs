//! `VEHPRICE.MGETHASH`

use super::check_batch;
use crate::command::error::Error;
use crate::server::{Arg, Call, Command, Example, KeyFlag, KeySpec, Spec};

/// Reads native hashes.
pub struct MGetHash;

/// Where the keys begin.
const KEYS: usize = 1;

impl Command for MGetHash {
    const SPEC: Spec = Spec {
        name: "vehprice.mgethash",
        summary: "Returns what HGETALL of each key returns.",
        complexity: "O(N) where N is the number of fields of all keys",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -2,
        keys: &[KeySpec { flags: &[KeyFlag::Ro, KeyFlag::Access], first: 1, last: -1, step: 1 }],
        args: &[Arg::key("key", "the key of a hash").multiple()],
        about: "\
Reads the hash that each vehicle had a key for, in pods that have not moved to a table yet, all of one moment. In Cluster the \
keys must share a slot, as for `MGET`. At most `quotelock.max-batch` keys.",
        replies: &[(
            "always",
            "an array: for each key nil if there is none, else a map; in RESP2 a flat array",
        )],
        examples: &[
            Example("HSET scooter:4711 styleId 12", "(integer) 1"),
            Example(
                "VEHPRICE.MGETHASH scooter:4711 scooter:4712",
                "1) 1) \"styleId\"\n   2) \"12\"\n2) (nil)",
            ),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let count = call.argc().saturating_sub(KEYS);
        check_batch(call, "keys", count)?;
        let mut there = Vec::new();
        for index in (KEYS..).take(count) {
            there.push(call.read_key(index)?.is_hash()?);
        }
        call.reply_array(count);
        for (index, there) in (KEYS..).zip(there) {
            if there {
                call.reply_hash(index);
            } else {
                call.reply_nil();
            }
        }
        Ok(())
    }
}
