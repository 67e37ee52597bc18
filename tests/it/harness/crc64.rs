//! The checksum at the end of what DUMP gives: CRC-64 as Jones has it, reflected, from 0.

const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| TABLE[((crc as u8) ^ byte) as usize] ^ (crc >> 8))
}

/// The version of RDB (2 bytes) and the checksum (8 bytes) that DUMP appends.
const FOOTER: usize = 10;

/// What DUMP gave, without its footer.
pub(crate) fn body(dump: &[u8]) -> &[u8] {
    &dump[..dump.len() - FOOTER]
}

/// The body with the version of `dump` and a checksum that is right for it.
pub(crate) fn signed(body: &[u8], dump: &[u8]) -> Vec<u8> {
    let version = &dump[dump.len() - FOOTER..][..2];
    let mut signed = [body, version].concat();
    signed.extend_from_slice(&crc64(&signed).to_le_bytes());
    signed
}
