//! What the edge bounds, and whose request a request is behind proxies.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::HeaderMap;

/// A network in CIDR notation: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network: write an address, or an address and a prefix such as 10.0.0.0/8")]
pub struct ParseNetworkError(String);

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let refuse = || ParseNetworkError(text.chars().take(64).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| refuse())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix =
            prefix.filter(|prefix| *prefix <= bits).or((!text.contains('/')).then_some(bits)).ok_or_else(refuse)?;
        match (address, address.to_canonical()) {
            // An IPv4 network in IPv6 clothes: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) => {
                let prefix = prefix.checked_sub(96).ok_or_else(refuse)?;
                Ok(Self { address: canonical, prefix })
            }
            _ => Ok(Self { address, prefix }),
        }
    }
}

impl Network {
    /// Whether the address belongs to the network. An IPv4 address in IPv6 clothes counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same_bits = match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros(),
            (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros(),
            _ => return false,
        };
        same_bits >= u32::from(self.prefix)
    }
}

/// The address of the client that a request comes from.
///
/// It is the peer's, unless the peer is a proxy that we trust: then the right-most address of `X-Forwarded-For` that is
/// not a trusted proxy. What stands further left was written by the client and may be a lie. At a hop that is no address
/// the search ends, and the last address that was believed counts.
pub(crate) fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.ip().to_canonical();
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
    while is_trusted(client) {
        let Some(Ok(hop)) = hops.next().map(parse_hop) else {
            break;
        };
        client = hop;
    }
    client
}

/// An address, as some proxies write it with a port and IPv6 in brackets.
fn parse_hop(text: &str) -> Result<IpAddr, std::net::AddrParseError> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// Counts the requests being answered and refuses one too many: memory is bounded, and the rest stays quick.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    open: Arc<AtomicUsize>,
    max: usize,
}

/// A request's place; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Gate {
    pub(crate) fn new(max: usize) -> Self {
        Self { open: Arc::default(), max }
    }

    /// `None` when every place is taken.
    pub(crate) fn enter(&self) -> Option<Place> {
        let place = Place(self.open.clone());
        // The place is counted before it is looked at, so that two at once cannot both take the last one.
        (self.open.fetch_add(1, Ordering::Relaxed) < self.max).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let contains = |network: &str, address: &str| {
            let network: Network = network.parse().expect("a network");
            network.contains(address.parse().expect("an address"))
        };
        assert!(contains("10.0.0.0/8", "10.1.2.3"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(contains("0.0.0.0/0", "203.0.113.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("fd00::/8", "fd12::1"));
        assert!(contains("127.0.0.1", "127.0.0.1"));
        assert!(!contains("127.0.0.1", "127.0.0.2"));
        for bad in ["", "x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn clients_behind_proxies() {
        let check = |peer: &str, lines: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().expect("a header value"));
            }
            let trusted = ["10.0.0.0/8".parse().expect("a network")];
            let peer = SocketAddr::new(peer.parse().expect("an address"), 1);
            assert_eq!(client_address(peer, &headers, &trusted).to_string(), expected, "{peer} {lines:?}");
        };
        check("203.0.113.9", &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        check("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
    }

    #[test]
    fn the_gate_is_exact() {
        let gate = Gate::new(2);
        let (one, two) = (gate.enter(), gate.enter());
        assert!(one.is_some() && two.is_some());
        assert!(gate.enter().is_none());
        drop(one);
        assert!(gate.enter().is_some());
    }
}
