//! The options of `VEHPRICE.SET` and `VEHPRICE.MSET`.

use quotelock_core::single_flight::Token;
use quotelock_core::table::bounds::MAX_EXPIRY_MS;
use quotelock_core::table::{Condition, Expiry, ExpiryPolicy, WritePolicy};
use quotelock_server::{Arg, Call, excerpt};

use crate::args::{ArgCursor, Exclusive, TTL_MS, TTL_S};
use crate::error::{Error, Range};
use crate::settings;

const EXAT: Range = Range { unit: "unix seconds", min: 1, max: MAX_EXPIRY_MS / 1000 };
const PXAT: Range = Range { unit: "unix milliseconds", min: 1, max: MAX_EXPIRY_MS };

/// What the first 0.1.0 put after `PXAT` for rows that don't expire: read from a primary and the AOF for ever.
const NEVER: i64 = -1;
const REPLAYED_PXAT: Range = Range { min: NEVER, ..PXAT };

pub(super) const CONDITION_ARG: Arg = Arg::one_of(
    "condition",
    &[
        Arg::pure_token("NX", "nx", "store only rows that don't exist"),
        Arg::pure_token("XX", "xx", "store only rows that exist"),
    ],
)
.optional();
pub(super) const MERGE_ARG: Arg =
    Arg::pure_token("MERGE", "merge", "set the named fields and keep the others").optional();
pub(super) const EXPIRY_ARG: Arg = Arg::one_of(
    "expiry",
    &[
        Arg::integer("seconds", "how long the rows live, in seconds").after("EX"),
        Arg::integer("milliseconds", "how long the rows live, in milliseconds").after("PX"),
        Arg::integer("unix-seconds", "the rows expire at this unix time in seconds").after("EXAT"),
        Arg::integer("unix-milliseconds", "the rows expire at this unix time in milliseconds").after("PXAT"),
        Arg::pure_token("KEEPTTL", "keepttl", "keep the expiry of the rows being replaced"),
        Arg::pure_token("PERSIST", "persist", "the rows don't expire"),
    ],
)
.optional();
pub(super) const TOKEN_ARG: Arg = Arg::block(
    "token-keepclaim",
    &[
        Arg::string("token", "store only rows still claimed under this token").after("TOKEN"),
        Arg::pure_token("KEEPCLAIM", "keepclaim", "keep the rows claimed").optional(),
    ],
)
.optional();

/// The expiry that is asked for.
#[derive(Clone, Copy)]
enum ExpireOption {
    /// In this many milliseconds.
    Relative(i64),
    /// At this unix time in milliseconds.
    Absolute(i64),
    /// As the row that is replaced.
    Keep,
    /// They don't expire.
    Never,
}

/// A token that claims are held under.
pub(super) fn token(text: &[u8]) -> Result<Token, Error> {
    Token::parse(text).ok_or_else(|| Error::BadToken(excerpt(text)))
}

/// The options of a write.
pub(super) struct WriteOptions {
    condition: Exclusive<Condition>,
    merge: Exclusive<()>,
    expiry: Exclusive<ExpireOption>,
    token: Exclusive<Token>,
    keep_claim: Exclusive<()>,
    is_replay: bool,
}

impl WriteOptions {
    pub(super) fn new(call: &Call<'_>) -> Self {
        Self {
            condition: Exclusive::unset(),
            merge: Exclusive::unset(),
            expiry: Exclusive::unset(),
            token: Exclusive::unset(),
            keep_claim: Exclusive::unset(),
            is_replay: call.is_replay(),
        }
    }

    /// Takes the word read last, if it is one of these options.
    pub(super) fn take_word<'a, I>(&mut self, args: &mut ArgCursor<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if args.is("NX") {
            self.condition.set("NX", Condition::Absent)
        } else if args.is("XX") {
            self.condition.set("XX", Condition::Present)
        } else if args.is("MERGE") {
            self.merge.set("MERGE", ())
        } else if args.is("KEEPTTL") {
            self.expiry.set("KEEPTTL", ExpireOption::Keep)
        } else if args.is("PERSIST") {
            self.expiry.set("PERSIST", ExpireOption::Never)
        } else if args.is("EX") {
            let seconds = args.expiry("EX", TTL_S)?;
            self.expiry.set("EX", ExpireOption::Relative(seconds * 1000))
        } else if args.is("PX") {
            let ms = args.expiry("PX", TTL_MS)?;
            self.expiry.set("PX", ExpireOption::Relative(ms))
        } else if args.is("EXAT") {
            let seconds = args.expiry("EXAT", EXAT)?;
            self.expiry.set("EXAT", ExpireOption::Absolute(seconds * 1000))
        } else if args.is("PXAT") {
            let ms = args.expiry("PXAT", if self.is_replay { REPLAYED_PXAT } else { PXAT })?;
            self.expiry
                .set("PXAT", if ms == NEVER { ExpireOption::Never } else { ExpireOption::Absolute(ms) })
        } else if args.is("TOKEN") {
            let token = token(args.value("TOKEN")?)?;
            self.token.set("TOKEN", token)
        } else if args.is("KEEPCLAIM") {
            self.keep_claim.set("KEEPCLAIM", ())
        } else {
            Err(args.unknown())
        }
    }

    /// Must be called when all words were taken.
    pub(super) fn check(&self) -> Result<(), Error> {
        let lacks_token = self.keeps_claims() && !self.token.is_set();
        if lacks_token { Err(Error::KeepClaimWithoutToken) } else { Ok(()) }
    }

    pub(super) fn keeps_claims(&self) -> bool {
        self.keep_claim.is_set()
    }

    /// The token under which rows must be claimed, if one was given.
    pub(super) fn token(&self) -> Option<Token> {
        self.token.value()
    }

    /// How rows are written at `now_ms`.
    pub(super) fn policy(&self, now_ms: i64) -> WritePolicy {
        let merge = self.merge.is_set();
        let default = settings::default_expiry(now_ms);
        let expiry = match self.expiry.value() {
            Some(ExpireOption::Relative(ms)) => ExpiryPolicy::Set(Expiry::at(now_ms.saturating_add(ms))),
            Some(ExpireOption::Absolute(ms)) => ExpiryPolicy::Set(Expiry::at(ms)),
            Some(ExpireOption::Never) => ExpiryPolicy::Set(Expiry::NEVER),
            Some(ExpireOption::Keep) => ExpiryPolicy::Keep(default),
            None if merge => ExpiryPolicy::Keep(default),
            None => ExpiryPolicy::Set(default),
        };
        WritePolicy { condition: self.condition.value(), merge, expiry }
    }

    /// The time by which rows count as expired. To a write from the primary none has: that was decided there.
    pub(super) fn decision_ms(&self, now_ms: i64) -> i64 {
        if self.is_replay { i64::MIN } else { now_ms }
    }
}
