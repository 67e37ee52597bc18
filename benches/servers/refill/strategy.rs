//! How a pod gets the rows that it finds missing.

use quotelock_testkit::Result;
use redis::{Cmd, Connection, cmd};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Upstream;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Each pod fetches all rows it misses; the first write of a row wins.
    EachFetches,
    /// One pod claims all missing rows, the others wait.
    Claims,
    /// The pods share the work: each claims as many rows as one upstream call takes.
    SharedClaims,
}

impl Strategy {
    pub(crate) const ALL: [Self; 3] = [Self::EachFetches, Self::Claims, Self::SharedClaims];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EachFetches => "each pod asks (MGET, MSET NX, MGET)",
            Self::Claims => "CLAIM, MSET TOKEN, MGET BLOCK",
            Self::SharedClaims => "CLAIM LIMIT, MSET TOKEN, MGET BLOCK",
        }
    }
}

/// The reply of `VEHPRICE.CLAIM … JSON`.
#[derive(Deserialize)]
struct Claim {
    token: Option<String>,
    rows: Box<RawValue>,
    claimed: Vec<String>,
    pending: Vec<String>,
}

pub(crate) struct Pod<'a> {
    pub(crate) connection: Connection,
    pub(crate) table: &'a str,
    pub(crate) upstream: &'a Upstream,
    /// How many rows it fetches at once.
    pub(crate) rows_a_call: usize,
}

impl Pod<'_> {
    /// The rows of these ids, as JSON.
    pub(crate) fn rows_of(&mut self, strategy: Strategy, ids: &[String]) -> Result<String> {
        match strategy {
            Strategy::EachFetches => self.fetch_missing(ids),
            Strategy::Claims => self.refill(ids, ids.len()),
            Strategy::SharedClaims => self.refill(ids, self.rows_a_call),
        }
    }

    fn fetch_missing(&mut self, ids: &[String]) -> Result<String> {
        let rows: Vec<Option<IgnoredAny>> = serde_json::from_str(&self.read(ids, None)?)?;
        let missing: Vec<String> =
            ids.iter().zip(rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id.clone()).collect();
        self.fetch(&missing, &["NX"])?;
        self.read(ids, None)
    }

    fn refill(&mut self, ids: &[String], limit: usize) -> Result<String> {
        loop {
            let mut claim = self.command("VEHPRICE.CLAIM");
            claim.arg(&["PX", "60000", "LIMIT"]).arg(limit).arg(&["JSON", "IDS"]).arg(ids);
            let reply: String = claim.query(&mut self.connection)?;
            let Claim { token, rows, claimed, pending } = serde_json::from_str(&reply)?;
            if let Some(token) = token {
                self.fetch(&claimed, &["TOKEN", &token])?;
            } else if pending.is_empty() {
                return Ok(rows.get().to_owned());
            } else {
                self.read(&pending, Some("60000"))?;
            }
        }
    }

    fn command(&self, name: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(self.table);
        command
    }

    fn read(&mut self, ids: &[String], block_ms: Option<&str>) -> Result<String> {
        let mut mget = self.command("VEHPRICE.MGET");
        if let Some(block_ms) = block_ms {
            mget.arg(&["BLOCK", block_ms]);
        }
        Ok(mget.arg(&["JSON", "IDS"]).arg(ids).query(&mut self.connection)?)
    }

    fn fetch(&mut self, ids: &[String], condition: &[&str]) -> Result<()> {
        for ids in ids.chunks(self.rows_a_call) {
            let prices = self.upstream.fetch(ids);
            let mut mset = self.command("VEHPRICE.MSET");
            mset.arg(condition).arg(&["FIELDS", "1", "price", "ROWS"]);
            for (id, price) in ids.iter().zip(&prices) {
                mset.arg(id).arg(price);
            }
            mset.exec(&mut self.connection)?;
        }
        Ok(())
    }
}
