//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and how many of its first bits make a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    pub ip: IpAddr,
    pub bits: u8,
}

impl Cidr {
    /// Reads a range.
    ///
    /// # Errors
    ///
    /// It is none, in upstream's words.
    ///
    /// Mirrors: `parseCIDR` of `apiserver/pkg/cel/library/cidr.go`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let text = crate::api::text::go_quote(text);
            format!(
                "network address parse error during conversion from string: netip.ParsePrefix({text}): \
                 {why}"
            )
        };
        let (ip, bits) = text.rsplit_once('/').ok_or_else(|| wrong("no '/'"))?;
        let ip: IpAddr = ip.parse().ok().ok_or_else(|| wrong("unable to parse IP"))?;
        let is_plain = bits.bytes().all(|byte| byte.is_ascii_digit())
            && (bits == "0" || !bits.starts_with('0'));
        let bits = Some(bits).filter(|_| is_plain).and_then(|bits| bits.parse().ok());
        let bits: u8 = bits.ok_or_else(|| wrong("bad bits after slash"))?;
        if let IpAddr::V6(v6) = ip
            && v6.to_ipv4_mapped().is_some()
        {
            let words = "IPv4-mapped IPv6 address is not allowed";
            return Err(words.to_owned());
        }
        if bits > width(ip) {
            return Err(wrong("prefix length out of range"));
        }
        Ok(Self { ip, bits })
    }

    /// The first address of the range, with its bits.
    #[must_use]
    pub fn masked(self) -> Self {
        let ip = match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or_default();
                IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or_default();
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
        };
        Self { ip, bits: self.bits }
    }

    /// Whether an address is in the range.
    pub fn contains(self, ip: IpAddr) -> bool {
        self.ip.is_ipv4() == ip.is_ipv4()
            && Self { ip, bits: self.bits }.masked().ip == self.masked().ip
    }

    /// Whether a whole range is in it.
    pub fn contains_range(self, other: Self) -> bool {
        other.bits >= self.bits && self.contains(other.ip)
    }
}

/// How many bits an address has.
fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}
