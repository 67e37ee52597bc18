//! How a pod comes to the rows of a table that it finds cold.

use redis::{Connection, RedisResult, Value, cmd, from_redis_value};

use crate::common::server::Outcome;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Who finds rows missing asks for all of them; the first one's rows stand.
    EachAsks,
    /// One pod claims all that is missing, the others wait.
    Claims,
    /// The pods share the work: each claims no more than one call upstream takes.
    SharedClaims,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::EachAsks, Self::Claims, Self::SharedClaims];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EachAsks => "each pod asks (MGET, MSET NX, MGET)",
            Self::Claims => "CLAIM, MSET TOKEN, MGET BLOCK",
            Self::SharedClaims => "CLAIM LIMIT, MSET TOKEN, MGET BLOCK",
        }
    }
}

/// The prices of these ids. Upstream is asked for so many at a time.
pub(crate) fn rows_of(
    pod: &mut Connection,
    way: Way,
    table: &str,
    ids: &[String],
    rows_a_call: usize,
    ask: impl Fn(&[String]) -> Vec<String>,
) -> Outcome<Vec<Option<String>>> {
    let ask = |pod: &mut Connection, ids: &[String], condition: &[&str]| -> Outcome<()> {
        for ids in ids.chunks(rows_a_call) {
            store(pod, table, condition, ids, &ask(ids))?;
        }
        Ok(())
    };
    if way == Way::EachAsks {
        let rows = read(pod, table, None, ids)?;
        let missing: Vec<String> =
            ids.iter().zip(rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id.clone()).collect();
        ask(pod, &missing, &["NX"])?;
        return read(pod, table, None, ids);
    }
    let limit = if way == Way::SharedClaims { rows_a_call } else { ids.len() };
    loop {
        let claim = cmd("VEHPRICE.CLAIM")
            .arg(table)
            .arg(&["PX", "60000", "LIMIT"])
            .arg(limit)
            .arg(&["FIELDS", "1", "price", "IDS"])
            .arg(ids)
            .query::<Vec<Value>>(pod)?;
        let [_, token, _, rows, _, claimed, _, pending] =
            <[Value; 8]>::try_from(claim).map_err(|_| "not a claim")?;
        let (claimed, pending): (Vec<String>, Vec<String>) =
            (from_redis_value(claimed)?, from_redis_value(pending)?);
        if !claimed.is_empty() {
            ask(pod, &claimed, &["TOKEN", &from_redis_value::<String>(token)?])?;
        } else if pending.is_empty() {
            return prices(rows);
        } else {
            read(pod, table, Some(60_000), &pending)?;
        }
    }
}

fn read(
    pod: &mut Connection,
    table: &str,
    block_ms: Option<u32>,
    ids: &[String],
) -> Outcome<Vec<Option<String>>> {
    let mut mget = cmd("VEHPRICE.MGET");
    mget.arg(table).arg(&["FIELDS", "1", "price"]);
    if let Some(block_ms) = block_ms {
        mget.arg("BLOCK").arg(block_ms);
    }
    prices(mget.arg("IDS").arg(ids).query(pod)?)
}

fn store(
    pod: &mut Connection,
    table: &str,
    condition: &[&str],
    ids: &[String],
    prices: &[String],
) -> RedisResult<()> {
    let mut mset = cmd("VEHPRICE.MSET");
    mset.arg(table).arg(condition).arg(&["FIELDS", "1", "price", "ROWS"]);
    for (id, price) in ids.iter().zip(prices) {
        mset.arg(id).arg(price);
    }
    mset.exec(pod)
}

/// Rows of one field, or none.
fn prices(rows: Value) -> Outcome<Vec<Option<String>>> {
    let rows: Vec<Option<Vec<String>>> = from_redis_value(rows)?;
    Ok(rows.into_iter().map(|row| row.and_then(|row| row.into_iter().next())).collect())
}
