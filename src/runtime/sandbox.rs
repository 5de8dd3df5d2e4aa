//! Pod sandboxes and the addresses they get.
//!
//! Mirrors: the CNI plugin `host-local` (which address comes next, and its words).

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::cri::{Id, PodSandboxConfig, PodSandboxState, PodSandboxStatus};
use crate::sim::{Instant, SortedSet};

/// A sandbox that was not removed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sandbox {
    pub id: Id,
    pub config: Rc<PodSandboxConfig>,
    pub state: PodSandboxState,
    pub created_at: Instant,
    /// Given back when it stops.
    pub ip: Option<Ipv4Addr>,
}

impl Sandbox {
    /// As the CRI describes it.
    pub fn status(&self) -> PodSandboxStatus {
        PodSandboxStatus {
            id: Rc::clone(&self.id),
            config: Rc::clone(&self.config),
            state: self.state,
            created_at: self.created_at,
            ip: self.ip,
        }
    }
}

/// The addresses of one node's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ipam {
    first: u32,
    last: u32,
    /// The address given last; the next one is looked for behind it.
    given: Option<u32>,
    in_use: SortedSet<u32>,
}

impl Ipam {
    /// For a range such as `10.244.1.0/24`, whose first address is the gateway's; `None` if the
    /// text is no IPv4 range or has no room.
    pub fn new(cidr: &str) -> Option<Self> {
        let (base, prefix) = cidr.split_once('/')?;
        let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
        let prefix = prefix.parse::<u32>().ok().filter(|bits| *bits <= 30)?;
        let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
        let network = base & !host_bits;
        let (first, last) = (network + 1, (network | host_bits) - 1);
        Some(Self { first, last, given: None, in_use: SortedSet::from([first]) })
    }

    /// The next free address.
    ///
    /// # Errors
    ///
    /// In the plugin's words, when all are in use.
    pub fn allocate(&mut self) -> Result<Ipv4Addr, String> {
        let start = self.given.filter(|given| *given < self.last).map_or(self.first, |ip| ip + 1);
        let free = (start..=self.last).chain(self.first..start);
        let Some(ip) = free.into_iter().find(|ip| !self.in_use.contains(ip)) else {
            let (first, last) = (Ipv4Addr::from(self.first), Ipv4Addr::from(self.last));
            return Err(format!(
                "plugin type=\"ptp\" failed (add): failed to allocate for range 0: \
                 no IP addresses available in range set: {first}-{last}"
            ));
        };
        self.given = Some(ip);
        self.in_use.insert(ip);
        Ok(ip.into())
    }

    /// Gives an address back.
    pub fn release(&mut self, ip: Ipv4Addr) {
        self.in_use.remove(&u32::from(ip));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_rotate_and_skip_those_in_use() {
        let mut ipam = Ipam::new("10.244.1.0/29").unwrap();
        let given: Vec<String> = (0..5).map(|_| ipam.allocate().unwrap().to_string()).collect();
        let want = ["10.244.1.2", "10.244.1.3", "10.244.1.4", "10.244.1.5", "10.244.1.6"];
        assert_eq!(given, want);
        ipam.release(Ipv4Addr::new(10, 244, 1, 5));
        ipam.release(Ipv4Addr::new(10, 244, 1, 3));
        assert_eq!(ipam.allocate(), Ok(Ipv4Addr::new(10, 244, 1, 3)));
        assert_eq!(ipam.allocate(), Ok(Ipv4Addr::new(10, 244, 1, 5)));
        let full = ipam.allocate().unwrap_err();
        assert!(full.ends_with("range set: 10.244.1.1-10.244.1.6"), "{full}");
    }

    #[test]
    fn what_is_no_range_gives_no_addresses() {
        for text in ["", "10.244.0.0", "10.244.0.0/33", "10.0.0.0/31", "fd00::/64", "x/24"] {
            assert_eq!(Ipam::new(text), None, "{text}");
        }
        assert!(Ipam::new("0.0.0.0/0").is_some());
    }
}
