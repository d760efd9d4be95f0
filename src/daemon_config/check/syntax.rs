//! The forms of sizes and networks as dockerd reads them.
//!
//! Owns their grammar. It must not know where a value stood.

use std::net::IpAddr;

/// The bytes of a size such as `20m`, `1.5GiB` or `100 kb`. Units count in 1024s here, which
/// is near enough to tell a size from none.
pub(super) fn size(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let number = digits.strip_suffix(' ').unwrap_or(digits);
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    let letter = unit.chars().next().filter(|c| *c != 'b');
    let power = match letter {
        None => 0,
        Some(letter) => "kmgtp".find(letter)? as i32 + 1,
    };
    let tail = if letter.is_some() { &unit[1..] } else { &unit };
    let fits = matches!(tail, "" | "b") || (tail == "ib" && letter.is_some());
    fits.then(|| number * 1024_f64.powi(power))
}

/// The address and prefix length of `ADDRESS/LENGTH`.
pub(super) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let digits = length.bytes().all(|b| b.is_ascii_digit());
    let length: u8 = length.parse().ok().filter(|_| digits)?;
    (length <= bits(address)).then_some((address, length))
}

/// Whether it is `MARK` or `MARK/MASK`, each a number of 32 bits as Go writes them.
pub(super) fn is_mark(text: &str) -> bool {
    let mut parts = text.splitn(2, '/');
    parts.all(|part| {
        let (digits, base) = match part.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0x") => (&part[2..], 16),
            Some("0o") => (&part[2..], 8),
            Some("0b") => (&part[2..], 2),
            _ if part.starts_with('0') && part.len() > 1 => (&part[1..], 8),
            _ => (part, 10),
        };
        !digits.starts_with('+') && u32::from_str_radix(digits, base).is_ok()
    })
}

/// How many bits an address of this family has.
pub(super) fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_dockerd_reads_them() {
        for right in ["20m", "64M", "1.5GiB", "100 kb", "512", "3b", "1tb"] {
            assert!(size(right).is_some(), "{right}");
        }
        for wrong in [
            "", "m", "20x", "20mm", "-1", "20  m", "20 mbs", "1e3", "20ib", "inf", "é",
        ] {
            assert!(size(wrong).is_none(), "{wrong}");
        }
        assert_eq!(size("2k"), Some(2048.0));
        assert_eq!(size("0m"), Some(0.0));
    }

    #[test]
    fn a_mark_is_a_number_of_32_bits_with_or_without_a_mask() {
        for right in ["1", "0x10", "0XfF/0x0f", "017", "0b1", "4294967295"] {
            assert!(is_mark(right), "{right}");
        }
        for wrong in ["", "x", "-1", "+1", "0x", "1/", "1/2/3", "4294967296", "é"] {
            assert!(!is_mark(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_network_is_an_address_with_a_length_that_fits() {
        assert_eq!(network("172.17.0.1/16"), Some(([172, 17, 0, 1].into(), 16)));
        assert!(network("fd00::/64").is_some());
        for wrong in [
            "172.17.0.1",
            "172.17.0.0/33",
            "172.17.0/16",
            "fd00::/129",
            "10.0.0.0/+8",
        ] {
            assert!(network(wrong).is_none(), "{wrong}");
        }
    }
}
