//! What DUMP gives, taken apart and signed anew.

use crc::{CRC_64_REDIS, Crc};

/// The version of RDB (2 bytes) and the checksum (8 bytes) that DUMP appends.
const FOOTER: usize = 10;

/// What DUMP gave, without its footer.
pub(crate) fn body(dump: &[u8]) -> &[u8] {
    &dump[..dump.len() - FOOTER]
}

/// The body with the version of `dump` and a checksum that is right for it.
pub(crate) fn signed(body: &[u8], dump: &[u8]) -> Vec<u8> {
    const CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);
    let version = &dump[dump.len() - FOOTER..][..2];
    let mut signed = [body, version].concat();
    signed.extend_from_slice(&CHECKSUM.checksum(&signed).to_le_bytes());
    signed
}
