//! The arguments that make a new lock, shared by `QUOTELOCK.SET` and `QUOTELOCK.ACQUIRE`.

use super::SET_EVENT;
use crate::args::{ArgCursor, Exclusive, MAX_MS, MAX_S, TTL_MS, TTL_S};
use crate::error::{Error, Range};
use crate::settings;
use quotelock_core::lock::{Lock, LockTime, QueryTime, RoleIds};
use quotelock_core::timestamp::Timestamp;
use quotelock_server::{Arg, Key, excerpt};

const BUFFER_S: Range = Range { unit: "whole seconds", min: 0, max: MAX_S };
const BUFFER_MS: Range = Range { unit: "whole milliseconds", min: 0, max: MAX_MS };

pub(super) const ROLE_IDS_ARG: Arg =
    Arg::string("roleIds", "the roles: a JSON array of strings or numbers, or a comma list");
pub(super) const QUERY_TIME_ARG: Arg =
    Arg::string("queryTime", "a timestamp: RFC 3339 with an offset, or '*' for the server's clock");
pub(super) const TTL_ARG: Arg = Arg::one_of(
    "ttl",
    &[
        Arg::integer("seconds", "the lock's own ttl in seconds").after("EX"),
        Arg::integer("milliseconds", "the lock's own ttl in milliseconds").after("PX"),
    ],
)
.optional();
pub(super) const BUFFER_ARG: Arg = Arg::one_of(
    "buffer",
    &[
        Arg::integer("seconds", "the lock's own buffer in seconds").after("BUFFER"),
        Arg::integer("milliseconds", "the lock's own buffer in milliseconds").after("PBUFFER"),
    ],
)
.optional();
pub(super) const LAG_ARG: Arg =
    Arg::integer("milliseconds", "set '*' this far behind the server's clock").after("LAG").optional();
pub(super) const ALIGN_ARG: Arg =
    Arg::integer("seconds", "round queryTime down to a multiple of this many seconds")
        .after("ALIGN")
        .optional();

/// The fixed arguments and the words of a new lock, as given.
pub(super) struct NewLock<'a> {
    role_ids: RoleIds<'a>,
    given_time: &'a [u8],
    query_time: QueryTime<'a>,
    ttl_ms: Exclusive<i64>,
    buffer_ms: Exclusive<i64>,
    lag_ms: Exclusive<i64>,
    align_s: Exclusive<Option<i64>>,
}

impl<'a> NewLock<'a> {
    /// Reads the role ids and the moment; the words come by [`Self::take_word`].
    pub(super) fn parse(role_ids: &'a [u8], query_time: &'a [u8]) -> Result<Self, Error> {
        Ok(Self {
            role_ids: RoleIds::parse(role_ids)?,
            given_time: query_time,
            query_time: QueryTime::parse(query_time)
                .ok_or_else(|| Error::BadQueryTime(excerpt(query_time)))?,
            ttl_ms: Exclusive::unset(),
            buffer_ms: Exclusive::unset(),
            lag_ms: Exclusive::unset(),
            align_s: Exclusive::unset(),
        })
    }

    /// Takes the word read last, if it is one of a new lock's.
    pub(super) fn take_word<I>(&mut self, args: &mut ArgCursor<'a, I>) -> Result<(), Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        if args.is("EX") {
            let seconds = args.expiry("EX", TTL_S)?;
            self.ttl_ms.set("EX", seconds * 1000)
        } else if args.is("PX") {
            let ms = args.expiry("PX", TTL_MS)?;
            self.ttl_ms.set("PX", ms)
        } else if args.is("BUFFER") {
            let seconds = args.integer("BUFFER", BUFFER_S)?;
            self.buffer_ms.set("BUFFER", seconds * 1000)
        } else if args.is("PBUFFER") {
            let ms = args.integer("PBUFFER", BUFFER_MS)?;
            self.buffer_ms.set("PBUFFER", ms)
        } else if args.is("LAG") {
            let ms = args.integer("LAG", BUFFER_MS)?;
            self.lag_ms.set("LAG", ms)
        } else if args.is("ALIGN") {
            let seconds = args.number("ALIGN")?;
            self.align_s.set("ALIGN", seconds)
        } else {
            Err(args.unknown())
        }
    }

    /// The lock these make at `now`.
    pub(super) fn at(self, now: Timestamp) -> Result<Wanted<'a>, Error> {
        let (own_ttl_ms, own_buffer_ms) = (self.ttl_ms.value(), self.buffer_ms.value());
        if let (Some(ttl_ms), Some(buffer_ms), Some(word)) =
            (own_ttl_ms, own_buffer_ms, self.buffer_ms.word())
            && buffer_ms > ttl_ms
        {
            return Err(Error::BufferAboveTtl { word, ttl_ms });
        }
        if self.lag_ms.is_set() && self.query_time != QueryTime::Clock {
            return Err(Error::LagWithoutClock);
        }
        let terms = settings::lock_terms().with_overrides(own_ttl_ms, own_buffer_ms);
        let max_s = terms.max_align_s();
        let align_ms = match self.align_s.value() {
            Some(seconds) => Some(align_ms(seconds, max_s).ok_or(Error::BadAlign { max_s })?),
            None if self.query_time == QueryTime::Clock => settings::lock_align_s()
                .map(|seconds| align_ms(Some(seconds), max_s).ok_or(Error::AlignSetting { max_s }))
                .transpose()?,
            None => None,
        };
        let lag_ms = self.lag_ms.value().unwrap_or_else(settings::lock_lag_ms);
        let time = self
            .query_time
            .resolve(now, lag_ms, align_ms)
            .ok_or_else(|| Error::AlignOutOfYears(excerpt(self.given_time)))?;
        Ok(Wanted {
            role_ids: self.role_ids,
            time,
            ttl_ms: own_ttl_ms,
            buffer_ms: own_buffer_ms,
            expires_at_ms: now.unix_ms().saturating_add(terms.ttl_ms),
        })
    }
}

/// A lock that may come into force; a moment is put into words only if it does.
pub(super) struct Wanted<'a> {
    role_ids: RoleIds<'a>,
    pub(super) time: LockTime<'a>,
    ttl_ms: Option<i64>,
    buffer_ms: Option<i64>,
    /// When its key is to expire, in milliseconds since 1970.
    expires_at_ms: i64,
}

impl<'a> Wanted<'a> {
    /// Stores the lock and closes the key; returns the lock.
    pub(super) fn store(self, key: Key<'_>) -> Lock<'a> {
        let lock = Lock {
            role_ids: self.role_ids,
            query_time: self.time.text(),
            moment: self.time.moment(),
            ttl_ms: self.ttl_ms,
            buffer_ms: self.buffer_ms,
        };
        lock.with_stored(|json| key.set_string(json, self.expires_at_ms, SET_EVENT));
        lock
    }
}

fn align_ms(seconds: Option<i64>, max_s: i64) -> Option<i64> {
    seconds.filter(|seconds| (1..=max_s).contains(seconds)).map(|seconds| seconds * 1000)
}
