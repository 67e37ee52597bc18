//! `VEHPRICE.MGETHASH`

use quotelock_server::{Arg, Call, Command, KeyFlag, KeySpec, Spec};

use crate::error::Error;
use crate::reply::{ReplyLength, ReplySink};
use crate::settings::check_batch;

/// Reads native hashes.
pub(crate) struct MGetHash;

/// Where the keys begin.
const KEYS: usize = 1;

impl Command for MGetHash {
    const SPEC: Spec = Spec {
        name: "vehprice.mgethash",
        summary: "Returns several hashes, each as HGETALL would.",
        complexity: "O(N) where N is the number of fields of all keys",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -2,
        keys: &[KeySpec { flags: &[KeyFlag::Ro, KeyFlag::Access], first: 1, last: -1, step: 1 }],
        args: &[Arg::key("key", "the key of a hash").multiple()],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let count = call.argc() - KEYS;
        check_batch(call, "keys", count)?;
        let mut are_hashes = Vec::new();
        for index in (KEYS..).take(count) {
            are_hashes.push(call.open_read(index)?.is_hash()?);
        }
        let length = ReplyLength::new();
        length.reply_array(count);
        let mut hashes = Vec::new();
        for (index, is_hash) in (KEYS..).zip(are_hashes) {
            let hash = if is_hash { call.hash(index) } else { None };
            match &hash {
                Some(hash) => length.add(hash.len()),
                None => length.reply_nil(),
            }
            // The next may be long too.
            length.check()?;
            hashes.push(hash);
        }
        call.reply_array(count);
        for hash in hashes {
            match hash {
                Some(hash) => call.reply_hash(&hash),
                None => call.reply_nil(),
            }
        }
        Ok(())
    }
}
