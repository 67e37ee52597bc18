//! Comparing, copying and checking short byte strings by their first and last bytes, which may overlap:
//! cheaper than a call for each.

/// Whether two byte strings are equal.
#[inline]
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        a.first_chunk::<N>() == b.first_chunk() && a.last_chunk::<N>() == b.last_chunk()
    }
    a.len() == b.len()
        && match a.len() {
            4..=8 => ends::<4>(a, b),
            9..=16 => ends::<8>(a, b),
            _ => a == b,
        }
}

/// Whether bytes are UTF-8; most are ASCII.
#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    fn is_ascii<const N: usize>(bytes: Option<&[u8; N]>) -> bool {
        bytes.is_some_and(|bytes| bytes.iter().fold(0, |all, byte| all | byte) < 0x80)
    }
    (match bytes.len() {
        4..=8 => is_ascii::<4>(bytes.first_chunk()) && is_ascii::<4>(bytes.last_chunk()),
        9..=16 => is_ascii::<8>(bytes.first_chunk()) && is_ascii::<8>(bytes.last_chunk()),
        _ => false,
    }) || std::str::from_utf8(bytes).is_ok()
}

/// Copies `from` to `to`, of the same length.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
        if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
            if let Some(to) = to.first_chunk_mut() {
                *to = *first;
            }
            if let Some(to) = to.last_chunk_mut() {
                *to = *last;
            }
        }
    }
    debug_assert_eq!(to.len(), from.len());
    // In this order every length takes at most three comparisons.
    let len = from.len();
    if len >= 8 {
        if len <= 16 {
            copy_ends::<8>(to, from);
        } else if len <= 32 {
            copy_ends::<16>(to, from);
        } else {
            to.copy_from_slice(from);
        }
    } else if len >= 4 {
        copy_ends::<4>(to, from);
    } else if len >= 2 {
        copy_ends::<2>(to, from);
    } else {
        copy_ends::<1>(to, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_place_counts() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).map(|index| b'a' + index % 26).collect();
            let mut copied = vec![0; text.len()];
            copy(&mut copied, &text);
            assert_eq!(copied, text);
            assert!(is_equal(&text, &copied) && is_utf8(&text));
            assert!(!is_equal(&text, &[text.as_slice(), b"x"].concat()));
            for place in 0..text.len() {
                let mut other = text.clone();
                other[place] = 0xff;
                assert!(!is_equal(&text, &other) && !is_utf8(&other), "{place} of {length}");
            }
        }
        assert!(
            is_utf8("Ā".as_bytes()) && is_utf8("abcdefgĀ".as_bytes()) && is_utf8("Āabcdefghijk".as_bytes())
        );
    }
}
