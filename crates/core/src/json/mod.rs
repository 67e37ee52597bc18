//! JSON: writing it, reading it in one pass where it is plain, and by serde_json where it is not.

mod decode;
mod plain;
mod writer;

pub(crate) use decode::{Elements, ReadError, decode_text, is_null, read_elements, read_members};
pub(crate) use plain::Scanner;
pub(crate) use writer::needs_escapes;
pub use writer::{JsonWriter, TooLong};
