//! A user's price lock through redis-rs.
use std::{env, error::Error};

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    role_ids: Vec<String>,
    query_time: String,
    state: String,
    outcome: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("REDIS_URL").unwrap_or("redis://127.0.0.1:6379".into());
    let mut redis = redis::Client::open(url)?.get_connection()?;
    let mut ask = |screen: &str, command: &str, args: &[&str]| -> Result<(), Box<dyn Error>> {
        let user = "hermes:LockedQuoteInfo:42";
        let json: String = redis::cmd(command).arg(user).arg(args).arg("JSON").query(&mut redis)?;
        let lock: Option<Lock> = serde_json::from_str(&json)?;
        let lock = lock.ok_or("no lock")?;
        let (roles, outcome) = (lock.role_ids.join(","), lock.outcome.as_deref().unwrap_or("-"));
        println!("{screen} {roles} {} {} {outcome}", lock.query_time, lock.state);
        Ok(())
    };

    // The map starts a lock or shares the one in force; a vehicle's page does not renew it; reserving reads.
    let roles = serde_json::to_string(&["3", "7"])?;
    ask("map", "QUOTELOCK.ACQUIRE", &[&roles, "*"])?;
    ask("page", "QUOTELOCK.ACQUIRE", &[&roles, "*", "IFMISSING"])?;
    ask("reserve", "QUOTELOCK.GET", &[])
}
