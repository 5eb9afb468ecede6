//! How often a wrong token may be tried.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Wrong tries that may come at once, and the time after which one more may.
struct Pace {
    at_once: u32,
    every: Duration,
}

/// The tries that one address may make at once, and how often it may make another.
const ONE: Pace = Pace {
    at_once: 5,
    every: Duration::from_secs(12),
};
/// The tries that all addresses together may make which have not sent the token lately.
const ALL: Pace = Pace {
    at_once: 30,
    every: Duration::from_secs(2),
};
/// How long an address is known from which the token came.
const KNOWN: Duration = Duration::from_secs(24 * 3600);

impl Pace {
    /// How long to wait before the next try, where the last one is paid for at `paid`.
    fn wait(&self, paid: Instant, now: Instant) -> Option<Duration> {
        let debt = paid.saturating_duration_since(now);
        let most = self.every * (self.at_once - 1);
        debt.checked_sub(most).filter(|wait| !wait.is_zero())
    }

    /// When a further wrong try is paid for.
    fn charge(&self, paid: Instant, now: Instant) -> Instant {
        paid.max(now) + self.every
    }
}

/// What came of a try.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token is the right one.
    Right,
    /// The token is another one.
    Wrong,
    /// The token was not looked at; another one may be tried after so long.
    TooMany(Duration),
}

/// Wrong tries that are not paid for yet, and the addresses from which right ones came.
///
/// Tries are counted by address, and in common over all addresses, so that many addresses are no help. From an address
/// that has sent the token, others cannot keep its users out.
#[derive(Debug, Default)]
pub struct Tries {
    paid: HashMap<IpAddr, Instant>,
    all: Option<Instant>,
    known: HashMap<IpAddr, Instant>,
}

impl Tries {
    /// Looks at a token from `address`, unless too many wrong ones came before it.
    pub fn look(
        &mut self,
        address: IpAddr,
        now: Instant,
        is_right: impl FnOnce() -> bool,
    ) -> Outcome {
        let address = network(address);
        self.paid.retain(|_, paid| *paid > now);
        self.known
            .retain(|_, last| now.saturating_duration_since(*last) < KNOWN);
        let is_known = self.known.contains_key(&address);
        let paid = self.paid.get(&address).copied().unwrap_or(now);
        let all = self.all.unwrap_or(now);
        let mut wait = ONE.wait(paid, now);
        if !is_known {
            wait = wait.max(ALL.wait(all, now));
        }
        if let Some(wait) = wait {
            return Outcome::TooMany(wait);
        }
        if is_right() {
            self.known.insert(address, now);
            return Outcome::Right;
        }
        self.paid.insert(address, ONE.charge(paid, now));
        if !is_known {
            self.all = Some(ALL.charge(all, now));
        }
        Outcome::Wrong
    }
}

/// Whose address it is: an IPv6 user has at least the 2⁶⁴ addresses of a network (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let bits = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(bits).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Right, TooMany, Wrong};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + last).into()
    }

    /// Five tries at once, then one every twelve seconds; a right token from another address is looked at all the while.
    #[test]
    fn wrong_tokens_are_limited_by_address() {
        let mut tries = Tries::default();
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(tries.look(address(1), start, || false), Wrong);
        }
        let refused = tries.look(address(1), start, || panic!("looked at"));
        assert_eq!(refused, TooMany(12 * SECOND));
        assert_eq!(tries.look(address(2), start, || true), Right);
        let later = start + 11 * SECOND;
        assert_eq!(tries.look(address(1), later, || true), TooMany(SECOND));
        let later = start + 12 * SECOND;
        assert_eq!(tries.look(address(1), later, || false), Wrong);
        assert_eq!(tries.look(address(1), later, || true), TooMany(12 * SECOND));
        assert_eq!(tries.look(address(1), later + 12 * SECOND, || true), Right);
        // Everything is forgotten once it is paid for.
        let much_later = start + 3600 * SECOND;
        for _ in 0..5 {
            assert_eq!(tries.look(address(1), much_later, || false), Wrong);
        }
    }

    /// Thirty tries at once from any number of addresses, then one every two seconds; who has sent the token before is not
    /// kept out.
    #[test]
    fn wrong_tokens_are_limited_in_common() {
        let mut tries = Tries::default();
        let start = Instant::now();
        assert_eq!(tries.look(address(0), start, || true), Right);
        for last in 1..=30 {
            assert_eq!(tries.look(address(last), start, || false), Wrong);
        }
        let refused = tries.look(address(31), start, || panic!("looked at"));
        assert_eq!(refused, TooMany(2 * SECOND));
        assert_eq!(tries.look(address(0), start, || true), Right);
        assert_eq!(tries.look(address(0), start, || false), Wrong);
        let later = start + 2 * SECOND;
        assert_eq!(tries.look(address(31), later, || false), Wrong);
        assert_eq!(tries.look(address(32), later, || true), TooMany(2 * SECOND));
        let next_week = start + 7 * KNOWN;
        tries.look(address(33), next_week, || false);
        assert!(tries.known.is_empty() && tries.paid.len() == 1);
    }

    #[test]
    fn a_network_counts_as_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_eq!(of("::1"), "::1".parse::<IpAddr>().unwrap());
    }
}
