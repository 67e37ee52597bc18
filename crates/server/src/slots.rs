//! Slots of a cluster that come to this server or leave it whole, with all their keys, rather than key by key.

use std::ffi::{c_char, c_int, c_void};
use std::ops::RangeInclusive;
use std::slice;

use redis_module::raw;

/// What Valkey's `valkeymodule.h` calls `VALKEYMODULE_EVENT_ATOMIC_SLOT_MIGRATION`, from 9.0 on. To Redis the number
/// means another event.
pub(crate) const VALKEY_SLOT_MIGRATION: u64 = 19;

/// `VALKEYMODULE_SUBEVENT_ATOMIC_SLOT_MIGRATION_IMPORT_COMPLETED`.
const VALKEY_IMPORT_COMPLETED: u64 = 4;

/// `VALKEYMODULE_SUBEVENT_ATOMIC_SLOT_MIGRATION_EXPORT_COMPLETED`.
const VALKEY_EXPORT_COMPLETED: u64 = 5;

/// `ValkeyModuleSlotRange` of the same file.
#[repr(C)]
struct ValkeySlotRange {
    start: c_int,
    end: c_int,
}

/// `ValkeyModuleAtomicSlotMigrationInfoV1` of the same file.
#[repr(C)]
struct ValkeySlotMigration {
    version: u64,
    job_name: [c_char; 41],
    ranges: *const ValkeySlotRange,
    range_count: u32,
}

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// Slots that came or left whole.
pub struct Slots {
    /// For each slot whether it is one of them.
    has: Vec<bool>,
}

impl Slots {
    fn new(ranges: impl Iterator<Item = RangeInclusive<usize>>) -> Self {
        let mut has = vec![false; SLOTS.into()];
        for slots in ranges {
            if let Some(slots) = has.get_mut(slots) {
                slots.fill(true);
            }
        }
        Self { has }
    }

    /// Whether a key of this name, in any database, is in one of them.
    pub fn has(&self, name: &[u8]) -> bool {
        self.has.get(usize::from(key_slot(name))) == Some(&true)
    }

    /// What Redis tells by `REDISMODULE_EVENT_CLUSTER_SLOT_MIGRATION`, and by that of the trim; `None` if it isn't that
    /// slots have come or left.
    ///
    /// # Safety
    /// These must be what the server has passed with one of the two events.
    pub(crate) unsafe fn of_redis(id: u64, subevent: u64, data: *const c_void) -> Option<Self> {
        const IMPORTED: u64 = raw::REDISMODULE_SUBEVENT_CLUSTER_SLOT_MIGRATION_IMPORT_COMPLETED;
        const MIGRATED: u64 = raw::REDISMODULE_SUBEVENT_CLUSTER_SLOT_MIGRATION_MIGRATE_COMPLETED;
        const TRIM_STARTED: u64 = raw::REDISMODULE_SUBEVENT_CLUSTER_SLOT_MIGRATION_TRIM_STARTED;
        const TRIMMED_IN_BACKGROUND: u64 = raw::REDISMODULE_SUBEVENT_CLUSTER_SLOT_MIGRATION_TRIM_BACKGROUND;

        // SAFETY: each event comes with its structure.
        let slots = unsafe {
            match (id, subevent) {
                (raw::REDISMODULE_EVENT_CLUSTER_SLOT_MIGRATION, IMPORTED | MIGRATED) => {
                    (*data.cast::<raw::RedisModuleClusterSlotMigrationInfo>()).slots
                }
                (
                    raw::REDISMODULE_EVENT_CLUSTER_SLOT_MIGRATION_TRIM,
                    TRIM_STARTED | TRIMMED_IN_BACKGROUND,
                ) => (*data.cast::<raw::RedisModuleClusterSlotMigrationTrimInfo>()).slots,
                _ => return None,
            }
        };
        // SAFETY: the ranges stand behind their number.
        let ranges = unsafe {
            let first = (&raw const (*slots).ranges).cast::<raw::RedisModuleSlotRange>();
            slice::from_raw_parts(first, usize::try_from((*slots).num_ranges).unwrap_or_default())
        };
        Some(Self::new(ranges.iter().map(|range| range.start.into()..=range.end.into())))
    }

    /// What Valkey tells by its event; `None` if it isn't that slots have come or left.
    ///
    /// # Safety
    /// These must be what the server has passed with the event.
    pub(crate) unsafe fn of_valkey(subevent: u64, data: *const c_void) -> Option<Self> {
        if !matches!(subevent, VALKEY_IMPORT_COMPLETED | VALKEY_EXPORT_COMPLETED) {
            return None;
        }
        // SAFETY: the event comes with its structure.
        let migration = unsafe { &*data.cast::<ValkeySlotMigration>() };
        let ranges = if migration.ranges.is_null() {
            &[]
        } else {
            // SAFETY: it tells how many ranges there are.
            unsafe { slice::from_raw_parts(migration.ranges, migration.range_count as usize) }
        };
        let slot = |slot: c_int| usize::try_from(slot).unwrap_or_default();
        Some(Self::new(ranges.iter().map(|range| slot(range.start)..=slot(range.end))))
    }
}

/// The slot of a key, by its hash tag if it has one. Asking the server would take a string of its own for each key.
fn key_slot(name: &[u8]) -> u16 {
    let tag = name.splitn(2, |byte| *byte == b'{').nth(1).and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..end).filter(|tag| !tag.is_empty())
    });
    crc16(tag.unwrap_or(name)) % SLOTS
}

/// CRC-16/XMODEM.
#[expect(clippy::indexing_slicing, reason = "a byte has 256 values")]
fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = {
        let mut table = [0; 256];
        let mut byte = 0_u16;
        while byte < 256 {
            let mut crc = byte << 8;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
                bit += 1;
            }
            table[byte as usize] = crc;
            byte += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_ranges() {
        let slots = Slots::new([12182..=12182, 15000..=16383].into_iter());
        assert_eq!(["foo", "a", "{}a"].map(|name| slots.has(name.as_bytes())), [true, true, false]);
    }

    /// As `CLUSTER KEYSLOT` answers.
    #[test]
    fn keys_have_the_slot_that_servers_give_them() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (name, slot) in [
            ("", 0),
            ("a", 15495),
            ("foo", 12182),
            ("hermes:tags:{2024-09-12T02:50:00.000Z}:3", 4192),
            ("{a}:b", 15495),
            ("b{a}c{d}", 15495),
            ("{}a", 10875),
            ("{a", 10276),
            ("a}{a}", 15495),
            ("{{a}", 10276),
        ] {
            assert_eq!(key_slot(name.as_bytes()), slot, "{name}");
        }
    }
}
