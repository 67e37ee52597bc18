//! What a table takes.

/// The longest id, in bytes; the shortest has one.
pub const LONGEST_ID: usize = 256;

/// The longest field name, in bytes; the shortest has one.
pub const LONGEST_NAME: usize = 256;

/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 1 << 20;

/// The most fields of a row; the least is one.
pub const MOST_FIELDS: usize = 64;

/// The latest expiry, in milliseconds since 1970: the end of the year 9999.
pub const LATEST_EXPIRY_MS: i64 = 253_402_300_799_999;

/// Whether these bytes are a row's id.
#[inline]
pub fn is_id(bytes: &[u8]) -> bool {
    (1..=LONGEST_ID).contains(&bytes.len()) && is_text(bytes)
}

/// The field name that these bytes are.
pub fn name(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|name| (1..=LONGEST_NAME).contains(&name.len()))
}

/// The value that these bytes are.
#[inline]
pub fn value(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|value| value.len() <= LONGEST_VALUE)
}

/// Whether bytes are UTF-8. Ids are short and mostly ASCII, which their first and last bytes tell.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    fn is_ascii<const N: usize>(bytes: Option<&[u8; N]>) -> bool {
        bytes.is_some_and(|bytes| bytes.iter().fold(0, |all, byte| all | byte) < 0x80)
    }
    (match bytes.len() {
        4..=8 => is_ascii::<4>(bytes.first_chunk()) && is_ascii::<4>(bytes.last_chunk()),
        9..=16 => is_ascii::<8>(bytes.first_chunk()) && is_ascii::<8>(bytes.last_chunk()),
        _ => false,
    }) || std::str::from_utf8(bytes).is_ok()
}
