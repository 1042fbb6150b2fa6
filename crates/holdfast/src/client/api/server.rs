//! A server's address, in the one form that sessions are kept under.

use std::fmt;

use reqwest::Url;

use super::super::failure::Failure;

/// `http://host:port`, perhaps with a path before `/api/v1`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Server(String);

impl Server {
    /// Reads an address as people type it: `host:8080` means `http://host:8080` on this machine, `https://` elsewhere.
    pub(in super::super) fn parse(text: &str) -> Result<Self, Failure> {
        let refuse = |why: &str| Failure::Usage(format!("`{text}` is not a server's address: {why}"));
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&with_scheme).map_err(|error| refuse(&error.to_string()))?;
        if !text.contains("://") && !is_loopback(&url) {
            url = Url::parse(&format!("https://{text}")).map_err(|error| refuse(&error.to_string()))?;
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("it begins with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::Usage(
                "name and password do not belong in the address: give the name as --name".into(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has no `?` and no `#`"));
        }
        let path = url.path().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        url.set_path(&path);
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    pub(in super::super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent can be read on the way.
    pub(in super::super) fn is_open_to_eavesdroppers(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost"
                || host.ends_with(".localhost")
                || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// Where `holdfast serve` listens if it is not told otherwise.
impl Default for Server {
    fn default() -> Self {
        Self("http://127.0.0.1:8080".into())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_form() {
        let check = |text: &str, form: &str| assert_eq!(Server::parse(text).unwrap().as_str(), form, "{text}");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        check(" HTTP://LocalHost:8080/ ", "http://localhost:8080");
        check("http://localhost:8080/api/v1/", "http://localhost:8080");
        check("https://files.example.org:443/", "https://files.example.org");
        check("https://example.org/files/", "https://example.org/files");
        check("localhost:8080", "http://localhost:8080");
        check("[::1]:8080", "http://[::1]:8080");
        check("files.example.org", "https://files.example.org");
    }

    #[test]
    fn refuses_what_is_none() {
        for bad in ["", "ftp://h", "http://", "http://ada:pw@h", "http://h/?q=1", "http://h#x", "file:///etc"] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn knows_where_passwords_travel_in_the_open() {
        let open = |text| Server::parse(text).unwrap().is_open_to_eavesdroppers();
        assert!(open("http://files.example.org") && open("http://10.0.0.1:8080"));
        assert!(!open("https://files.example.org") && !open("http://127.0.0.2:8080") && !open("http://[::1]:80"));
    }
}
