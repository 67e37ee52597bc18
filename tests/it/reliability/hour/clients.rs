//! Clients that come and go, wait, and keep copies.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use redis::Value;

use super::plan::Plan;
use super::steps::{Table, claimable, json_of, list_of, step, token};
use crate::harness::*;

/// What the clients of one server share.
pub(crate) struct Shop<'a> {
    pub(crate) server: &'a Server,
    pub(crate) plan: Plan,
    pub(crate) stop: &'a AtomicBool,
}

impl Shop<'_> {
    /// Does something every this many milliseconds until the end; one that fails ends it for all.
    pub(crate) fn every(&self, ms: u64, mut act: impl FnMut()) {
        let _over = Over(self.stop);
        while !self.stop.load(Relaxed) {
            act();
            rest(self.plan.pace * ms);
        }
    }

    /// A service that goes on with one connection.
    pub(crate) fn serve(&self, mut rng: Rng) {
        let mut con =
            if rng.below(2) == 0 { self.server.connection() } else { self.server.connection_resp3() };
        self.every(4, || step(&mut con, &self.plan, &mut rng));
    }

    /// Clients that connect, do one thing, and go, in every way there is.
    pub(crate) fn visit(&self, mut rng: Rng) {
        let mut other = self.server.connection();
        self.every(40, || {
            let Table { key, .. } = Table::any(&self.plan, &mut rng);
            let list = list_of(&claimable(&mut rng));
            let mut raw = RawConnection::connect(self.server.port()).unwrap();
            let waiting = packed(&["VEHPRICE.MGET", &key, "BLOCK", "60000", "LIST", &list]);
            let claim = packed(&["VEHPRICE.CLAIM", &key, "PX", "300", "LIST", &list]);
            match rng.below(9) {
                0 => drop(raw.request(b"PING\r\n").unwrap()),
                // In the midst of a call.
                1 => raw.send(&waiting[..waiting.len() / 2]).unwrap(),
                // While it waits.
                2 => raw.send(&[claim, waiting].concat()).unwrap(),
                3 => raw.send(b"WATCH a b c\r\nMULTI\r\nQUOTELOCK.ACQUIRE user 3,7 *\r\n").unwrap(),
                4 => {
                    raw.send(b"HELLO 3\r\nCLIENT TRACKING ON\r\nQUOTELOCK.GET hermes:LockedQuoteInfo:1\r\n")
                        .unwrap();
                    raw.send(&packed(&["VEHPRICE.GETALL", &key])).unwrap();
                }
                5 => raw.send(b"SUBSCRIBE a b c\r\n").unwrap(),
                6 => raw.send(b"BLPOP nothing 0\r\n").unwrap(),
                // Thousands of rows that it doesn't read.
                7 => raw.send(&packed(&["VEHPRICE.GETALL", &key, "JSON"]).repeat(20)).unwrap(),
                _ => {
                    let id = raw.request(b"CLIENT ID\r\n").unwrap();
                    raw.send(&[claim, waiting].concat()).unwrap();
                    rest(5);
                    let Value::Int(id) = id else { panic!("{}", show(&id)) };
                    let word = rng.pick(&["KILL ID", "UNBLOCK"]);
                    // It may have gone already, or not wait at all.
                    let _gone = try_cmd(&mut other, &format!("CLIENT {word} {id}"));
                }
            }
            rest(rng.below(20));
        });
    }

    /// A client that waits for rows someone else has claimed, until they are stored, given up or expired, the
    /// table is gone, or its time is up.
    pub(crate) fn wait(&self, mut rng: Rng) {
        let (mut con, mut waiting) =
            (self.server.connection(), RawConnection::connect(self.server.port()).unwrap());
        self.every(50, || {
            let Table { key, expires } = Table::any(&self.plan, &mut rng);
            let (ids, token) = (claimable(&mut rng), token(&mut rng));
            let list = list_of(&ids);
            cmd(&mut con, &["VEHPRICE.CLAIM", &key, "PX", "100", "TOKEN", &token, "LIST", &list]);
            let ms = (20 + rng.below(200)).to_string();
            waiting.send(&packed(&["VEHPRICE.MGET", &key, "JSON", "BLOCK", &ms, "LIST", &list])).unwrap();
            rest(rng.below(20));
            match rng.below(6) {
                0..2 => {
                    let rows = json_of(&ids, &mut rng);
                    cmd(&mut con, &["VEHPRICE.MSET", &key, "PXAT", &expires, "TOKEN", &token, "JSON", &rows]);
                }
                2 => drop(cmd(&mut con, &["VEHPRICE.RELEASE", &key, &token])),
                3 => drop(cmd(&mut con, &["VEHPRICE.DEL", &key, &ids[0]])),
                4 if rng.below(50) == 0 => drop(cmd(&mut con, &["VEHPRICE.CLEAR", &key])),
                _ => {}
            }
            let answer = waiting.receive().unwrap();
            assert!(matches!(answer, Value::BulkString(_)), "{}", show(&answer));
        });
    }

    /// Pods' own copies; now and then each is compared with its table.
    pub(crate) fn copy(&self) {
        let mut con = self.server.connection();
        let mut copies: BTreeMap<String, OwnCopy> = BTreeMap::new();
        let mut asked = 0;
        self.every(100, || {
            asked += 1;
            let key = &*Table::of(&self.plan, asked % 3, asked as u64 % 2).key;
            if copies.len() > 8 {
                copies.pop_first();
            }
            let copy = copies.entry(key.to_owned()).or_insert_with(OwnCopy::new);
            let changes = vec!["VEHPRICE.CHANGES", key, &copy.revision, "JSON"];
            if asked % 25 > 0 {
                copy.take(News::of(&cmd(&mut con, &changes)));
                return;
            }
            let both = [vec!["MULTI"], changes, vec!["VEHPRICE.GETALL", key, "JSON"], vec!["EXEC"]];
            let Some(Value::Array(both)) = pipelined(&mut con, &both).pop() else {
                panic!("no answer to EXEC")
            };
            let news = News::of(&both[0]);
            let now = news.now;
            copy.take(news);
            copy.forget_expired(now);
            let Value::BulkString(all) = &both[1] else { panic!("{}", show(&both[1])) };
            let all: BTreeMap<String, Fields> = serde_json::from_slice(all).unwrap();
            let held = copy.live(now);
            assert!(held.len() == all.len(), "{key}: {} rows, not {}", held.len(), all.len());
            assert!(all.iter().all(|(id, row)| held[id.as_str()].1 == row), "{key}");
        });
    }

    /// Saves, rewrites the AOF, and cuts the replica off now and then.
    pub(crate) fn keep(&self) {
        let mut con = self.server.connection();
        let mut turn = 0;
        self.every(0, || {
            let word = ["BGSAVE SCHEDULE", "BGREWRITEAOF"][turn % 2];
            let refused = try_cmd(&mut con, word).err();
            assert!(refused.as_ref().is_none_or(|error| error.contains("in progress")), "{refused:?}");
            if turn % 8 == 1 {
                cmd(&mut con, "CLIENT KILL TYPE replica");
            }
            turn += 1;
            self.pause(self.plan.saves);
        });
    }

    /// Lets time pass, but not past the end.
    pub(crate) fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stop.load(Relaxed) {
            rest(50.min(time.as_millis() as u64));
        }
    }
}
