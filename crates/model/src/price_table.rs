use std::sync::Arc;

use quotelock_core::single_flight::Token;
use quotelock_core::table::{Condition, Expiry, ExpiryPolicy, WriteOutcome, WritePolicy};
use stateright::semantics::SequentialSpec;

use super::{Claimed, Claims, Rows};

/// A key with a table of prices or without one, and the claims on its rows, which answers one call after the other. Its
/// clock stands still.
#[derive(Clone, Debug)]
pub struct PriceTable {
    rows: Rows,
    claims: Claims,
    now_ms: i64,
}

/// A call, and what is sent for it.
#[derive(Clone, Debug)]
pub enum TableCall {
    Set(Box<Write>),
    Get {
        ids: Vec<String>,
    },
    Verify {
        id: String,
        field: &'static str,
        expected: String,
    },
    Del {
        ids: Vec<String>,
    },
    Clear,
    Claim {
        ids: Vec<String>,
        token: Token,
    },
    Release {
        token: Token,
    },
    /// Nothing is sent: another server takes over, which knows of no claims.
    Failover,
}

/// How rows are written, and which.
#[derive(Clone, Debug)]
pub struct Write {
    pub condition: Option<Condition>,
    pub merge: bool,
    /// The rows have expired as they are written: nothing here waits for that.
    pub expired: bool,
    pub token: Option<Token>,
    pub keep_claim: bool,
    pub fields: &'static [&'static str],
    /// Ids, and as many values as fields.
    pub rows: Vec<(String, Vec<String>)>,
}

/// How long a claim is held: longer than any history.
const CLAIM_MS: i64 = 600_000;

impl TableCall {
    /// The command at this key.
    pub fn words(&self, key: &str) -> Vec<String> {
        let command = |words: &[&str], ids: &[String]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).chain(ids.iter().cloned()).collect()
        };
        match self {
            Self::Set(write) => write.words(key),
            Self::Get { ids } => command(&["VEHPRICE.MGET", key, "JSON", "IDS"], ids),
            Self::Verify { id, field, expected } => {
                command(&["VEHPRICE.VERIFY", key, id, field, expected, "JSON"], &[])
            }
            Self::Del { ids } => command(&["VEHPRICE.DEL", key], ids),
            Self::Clear => command(&["VEHPRICE.CLEAR", key], &[]),
            Self::Claim { ids, token } => {
                let (ms, token) = (CLAIM_MS.to_string(), token.to_string());
                command(&["VEHPRICE.CLAIM", key, "PX", &ms, "TOKEN", &token, "JSON", "IDS"], ids)
            }
            Self::Release { token } => command(&["VEHPRICE.RELEASE", key, &token.to_string()], &[]),
            Self::Failover => Vec::new(),
        }
    }
}

impl Write {
    fn words(&self, key: &str) -> Vec<String> {
        let mut words = vec!["VEHPRICE.MSET".to_owned(), key.to_owned()];
        let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        match self.condition {
            Some(Condition::Absent) => add(&["NX"]),
            Some(Condition::Present) => add(&["XX"]),
            None => {}
        }
        if self.merge {
            add(&["MERGE"]);
        }
        if self.expired {
            add(&["PXAT", "1"]);
        }
        if let Some(token) = self.token {
            add(&["TOKEN", &token.to_string()]);
        }
        if self.keep_claim {
            add(&["KEEPCLAIM"]);
        }
        add(&["FIELDS", &self.fields.len().to_string()]);
        add(self.fields);
        add(&["ROWS"]);
        for (id, values) in &self.rows {
            add(&[id]);
            values.iter().for_each(|value| add(&[value]));
        }
        words
    }

    fn policy(&self) -> WritePolicy {
        let expiry = match (self.expired, self.merge) {
            (true, _) => ExpiryPolicy::Set(Expiry::at(1)),
            (false, true) => ExpiryPolicy::Keep(Expiry::NEVER),
            (false, false) => ExpiryPolicy::Set(Expiry::NEVER),
        };
        WritePolicy { condition: self.condition, merge: self.merge, expiry }
    }
}

impl PriceTable {
    /// A key without a table.
    pub fn new(now_ms: i64) -> Self {
        Self { rows: Rows::default(), claims: Claims::default(), now_ms }
    }

    fn set(&mut self, write: &Write) -> usize {
        let claimed = |id: &str| write.token.is_none_or(|token| self.claims.is_held(token, id, self.now_ms));
        let rows: Vec<_> = write.rows.iter().filter(|(id, _)| claimed(id)).collect();
        let (mut stored, mut changed) = (0, Vec::new());
        for (id, values) in rows {
            let names = write.fields.iter().map(|name| (*name).to_owned());
            let fields = names.zip(values.iter().cloned()).collect();
            match self.rows.write(id, &fields, write.policy(), self.now_ms) {
                WriteOutcome::Skipped => continue,
                WriteOutcome::Stored => stored += 1,
                WriteOutcome::Deleted { .. } => {}
            }
            changed.push(id.as_str());
        }
        if !write.keep_claim {
            self.claims.end_rows(&changed, self.now_ms);
        }
        stored
    }

    fn claim(&mut self, ids: &[String], token: Token) -> String {
        let is_missing = |id: &&str| !self.rows.contains(id, self.now_ms);
        let missing: Vec<&str> = ids.iter().map(String::as_str).filter(is_missing).collect();
        let expiry_ms = self.now_ms + CLAIM_MS;
        let Claimed { claimed, pending } = self.claims.claim(&missing, token, self.now_ms, expiry_ms);
        let token = if claimed.is_empty() { "null".to_owned() } else { format!("\"{token}\"") };
        format!(
            "\"{{\"token\":{token},\"rows\":{},\"claimed\":{},\"pending\":{}}}\"",
            self.json(ids),
            list(&claimed),
            list(&pending)
        )
    }

    fn json(&self, ids: &[String]) -> String {
        let rows: Vec<String> = ids.iter().map(|id| self.rows.json(id, self.now_ms)).collect();
        format!("[{}]", rows.join(","))
    }
}

fn list(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", quoted.join(","))
}

/// Answers are text, as the tests write replies: `1`, `"text"`.
impl SequentialSpec for PriceTable {
    type Op = Arc<TableCall>;
    type Ret = Arc<str>;

    fn invoke(&mut self, call: &Self::Op) -> Self::Ret {
        let answer = match &**call {
            TableCall::Set(write) => self.set(write).to_string(),
            TableCall::Get { ids } => format!("\"{}\"", self.json(ids)),
            TableCall::Verify { id, field, expected } => {
                let expected = vec![((*field).to_owned(), expected.clone())];
                let verdict = self.rows.verify(id, &expected, self.now_ms).name();
                format!("\"{{\"verdict\":\"{verdict}\",\"row\":{}}}\"", self.rows.json(id, self.now_ms))
            }
            TableCall::Del { ids } => {
                let deleted = ids.iter().filter(|id| self.rows.remove(id, self.now_ms)).count();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                self.claims.end_rows(&ids, self.now_ms);
                deleted.to_string()
            }
            TableCall::Clear => {
                self.claims.end_table(self.now_ms);
                u8::from(std::mem::take(&mut self.rows) != Rows::default()).to_string()
            }
            TableCall::Claim { ids, token } => self.claim(ids, *token),
            TableCall::Release { token } => self.claims.release(*token, self.now_ms).to_string(),
            TableCall::Failover => {
                self.claims.end_table(self.now_ms);
                String::new()
            }
        };
        answer.into()
    }
}
