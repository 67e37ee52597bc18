//! Mixed load on locks and a table: random writes of which the book knows beforehand what they are answered
//! and what they leave.

use redis::Connection;

use super::book::{Book, Held, Place, UNKNOWN, Write};
use crate::harness::*;

pub(crate) const LOCKS: u64 = 8;
const ROWS: u64 = 40;
/// 2020-01-01T00:00:00Z. Locks of these moments are closing, so any later moment refreshes them.
const MOMENTS: i64 = 1_577_836_800_000;

/// What a write is made of: its commands, their answers, and what they leave.
type Step = (Vec<String>, String, Vec<(Place, Option<Held>)>);

impl Book {
    /// A random write.
    pub(crate) fn plan(&self, rng: &mut Rng) -> Write {
        let steps = match rng.below(10) {
            0..4 => vec![self.lock_step(rng)],
            4..8 => vec![self.table_step(rng)],
            8 => return self.in_transaction(rng),
            _ => return self.in_script(rng),
        };
        let mut write = Write { commands: vec![], answers: vec![], after: vec![], acknowledged: None };
        for (command, answer, after) in steps {
            write.commands.push(command);
            write.answers.push(answer);
            write.after.extend(after);
        }
        write
    }

    /// One lock and one or more rows, all or none of them.
    fn in_transaction(&self, rng: &mut Rng) -> Write {
        let (lock, table) = (self.lock_step(rng), self.table_step(rng));
        let (multi, exec) = (vec!["MULTI".to_owned()], vec!["EXEC".to_owned()]);
        Write {
            commands: vec![multi, lock.0, table.0, exec],
            answers: ["OK", "QUEUED", "QUEUED"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("[{}, {}]", lock.1, table.1)])
                .collect(),
            after: [lock.2, table.2].concat(),
            acknowledged: None,
        }
    }

    fn in_script(&self, rng: &mut Rng) -> Write {
        const SCRIPT: &str = "local words, calls = {}, {} \
            for i = 1, #ARGV do \
              if ARGV[i] == 'then' then calls[#calls + 1] = redis.call(unpack(words)) words = {} \
              else words[#words + 1] = ARGV[i] end \
            end \
            return calls";
        let (lock, table) = (self.lock_step(rng), self.table_step(rng));
        let keys = ["EVAL", SCRIPT, "2", &lock.0[1], &table.0[1]].map(str::to_owned);
        let then = vec!["then".to_owned()];
        Write {
            commands: vec![[&keys[..], &lock.0, &then, &table.0, &then].concat()],
            answers: vec![format!("[{}, {}]", lock.1, table.1)],
            after: [lock.2, table.2].concat(),
            acknowledged: None,
        }
    }

    fn lock_step(&self, rng: &mut Rng) -> Step {
        let key = self.lock(rng.below(LOCKS));
        let place = Place::Lock(key.clone());
        let time = moment(MOMENTS + rng.below(100_000_000_000) as i64);
        // A number that no other write has, so that what it leaves is its own.
        let role = rng.below(u64::MAX).to_string();
        let brought = format!(r#"{{"roleIds":["{role}"],"queryTime":"{time}"}}"#);
        let written = Some(Held { text: brought.clone(), expiry: UNKNOWN });
        let held = self.held(&place).map(|held| held.text.clone());
        match rng.below(8) {
            0..3 => (
                words(&format!("QUOTELOCK.SET {key} {role} {time}")),
                "OK".to_owned(),
                vec![(place, written)],
            ),
            3..7 => {
                let command = words(&format!("QUOTELOCK.ACQUIRE {key} {role} {time} JSON"));
                let outcome = match &held {
                    None => "Created",
                    // Moments of one form are in the order of their text.
                    Some(held) if query_time(held) < time.as_str() => "Refreshed",
                    Some(_) => "Held",
                };
                let answered = if outcome == "Held" { held.unwrap_or_default() } else { brought };
                let answer = format!(
                    "\"{},\"state\":\"CloseToExpired\",\"outcome\":\"{outcome}\"}}\"",
                    answered.trim_end_matches('}')
                );
                let after = if outcome == "Held" { vec![] } else { vec![(place, written)] };
                (command, answer, after)
            }
            _ => (
                words(&format!("QUOTELOCK.DEL {key}")),
                u8::from(held.is_some()).to_string(),
                vec![(place, None)],
            ),
        }
    }

    fn table_step(&self, rng: &mut Rng) -> Step {
        let key = self.table();
        let first = rng.below(ROWS);
        let ids: Vec<String> = (first..first + 1 + rng.below(6)).map(|id| id.to_string()).collect();
        let is_there = |id: &String| self.held(&Place::Row(id.clone())).is_some();
        let there = ids.iter().filter(|id| is_there(id)).count();
        let value = rng.below(u64::MAX);
        let expires = now() + 86_400_000 + rng.below(86_400_000) as i64;
        let stored = ids.len().to_string();
        let all = |row: &dyn Fn(&String) -> Held| {
            ids.iter().map(|id| (Place::Row(id.clone()), Some(row(id)))).collect::<Vec<_>>()
        };
        match rng.below(16) {
            0..4 => {
                let row = |_: &String| Held { text: format!("styleId={value} pricingId=1"), expiry: -1..=-1 };
                let rows: String = ids.iter().map(|id| format!(" {id} {value} 1")).collect();
                (
                    words(&format!("VEHPRICE.MSET {key} FIELDS 2 styleId pricingId ROWS{rows}")),
                    stored,
                    all(&row),
                )
            }
            4..9 => {
                let row = |_: &String| Held { text: format!("price={value}"), expiry: expires..=expires };
                let rows: String = ids.iter().map(|id| format!(" {id} {value}")).collect();
                (
                    words(&format!("VEHPRICE.MSET {key} PXAT {expires} FIELDS 1 price ROWS{rows}")),
                    stored,
                    all(&row),
                )
            }
            9..12 => {
                let row = |id: &String| self.merged(id, value);
                let rows: String = ids.iter().map(|id| format!(" {id} {value}")).collect();
                (
                    words(&format!("VEHPRICE.MSET {key} MERGE KEEPTTL FIELDS 1 plan ROWS{rows}")),
                    stored,
                    all(&row),
                )
            }
            12..15 => {
                let gone = ids.iter().map(|id| (Place::Row(id.clone()), None)).collect();
                (words(&format!("VEHPRICE.DEL {key} {}", ids.join(" "))), there.to_string(), gone)
            }
            _ => {
                let rows = self.state().keys().filter(|place| matches!(place, Place::Row(_)));
                let gone: Vec<_> = rows.map(|place| (place.clone(), None)).collect();
                (words(&format!("VEHPRICE.CLEAR {key}")), u8::from(!gone.is_empty()).to_string(), gone)
            }
        }
    }

    /// The row with `plan` in it, where it was or at its end.
    fn merged(&self, id: &str, value: u64) -> Held {
        let Some(held) = self.held(&Place::Row(id.to_owned())) else {
            return Held { text: format!("plan={value}"), expiry: -1..=-1 };
        };
        let (text, plan) = (&held.text, format!("plan={value}"));
        let mut fields: Vec<&str> = text.split(' ').collect();
        match fields.iter_mut().find(|field| field.starts_with("plan=")) {
            Some(field) => *field = &plan,
            None => fields.push(&plan),
        }
        Held { text: fields.join(" "), expiry: held.expiry.clone() }
    }
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

/// The moment in a lock's JSON.
fn query_time(lock: &str) -> &str {
    lock.split('"').nth(7).unwrap_or_else(|| panic!("no moment in {lock}"))
}

/// Writes until the connection is gone; how many writes were acknowledged.
pub(crate) fn write_until_gone(con: &mut Connection, book: &mut Book, rng: &mut Rng) {
    while book.write(con, rng).is_ok() {}
}
