//! Thousands of ids or rows in one argument of JSON. Where it is plain it is read in one pass, otherwise by
//! serde_json; the two never differ.

mod columns;
mod error;
mod id_list;
mod json_rows;
mod rows;
#[cfg(test)]
mod tests;

pub use columns::with_columns;
pub use error::{BatchError, Form, RowFault};
pub use id_list::IdList;
pub use json_rows::with_json_rows;
pub use rows::RowBatch;

/// For how many parts of about `usual_bytes` each room is made in advance.
fn expected_parts(text: &str, usual_bytes: usize) -> usize {
    (text.len() / usual_bytes).min(MOST_EXPECTED)
}

/// For at most this many parts.
const MOST_EXPECTED: usize = 1 << 17;
