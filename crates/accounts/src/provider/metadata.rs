//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed.

use serde::Deserialize;

use super::is_safe_address;

/// The document as it comes.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// What was found good of it.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    /// Whether clients prove themselves by HTTP Basic authentication, which is so where nothing is said.
    pub(super) takes_basic: bool,
    /// Whether its answers say whose they are (RFC 9207).
    pub(super) says_issuer: bool,
}

/// Where the document is.
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Reads the document of an issuer.
    ///
    /// # Errors
    /// What is wrong with it, for those who run the server.
    pub(super) fn read(body: &[u8], issuer: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if document.issuer != issuer {
            return Err(format!("it calls itself {:?}, and the configuration {issuer:?}", document.issuer));
        }
        let optional = [&document.userinfo_endpoint, &document.end_session_endpoint];
        let addresses = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        for address in addresses.into_iter().chain(optional.into_iter().flatten()) {
            if !is_safe_address(address) {
                return Err(format!("its address {address:?} is without TLS"));
            }
        }
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Self {
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            userinfo_endpoint: document.userinfo_endpoint,
            end_session_endpoint: document.end_session_endpoint,
            takes_basic: methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
            says_issuer: document.authorization_response_iss_parameter_supported.unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_document_of_the_issuer_with_safe_addresses_is_taken() {
        let check = |change: &dyn Fn(&mut Value), expected: Result<bool, &str>| {
            let mut document = json!({
                "issuer": "https://id.example.org",
                "authorization_endpoint": "https://id.example.org/auth",
                "token_endpoint": "https://id.example.org/token",
                "jwks_uri": "https://id.example.org/keys",
            });
            change(&mut document);
            let read = Metadata::read(document.to_string().as_bytes(), "https://id.example.org");
            match (read, expected) {
                (Ok(metadata), Ok(basic)) => assert_eq!(metadata.takes_basic, basic, "{document}"),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (read, _) => panic!("{document}: {read:?}"),
            }
        };
        check(&|_| {}, Ok(true));
        check(&|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]), Ok(false));
        check(&|it| it["issuer"] = json!("https://id.example.org/"), Err("calls itself"));
        check(&|it| it["token_endpoint"] = json!("http://id.example.org/token"), Err("without TLS"));
        check(&|it| it["userinfo_endpoint"] = json!("http://id.example.org/me"), Err("without TLS"));
        check(&|it| it["jwks_uri"] = Value::Null, Err("invalid type"));
        assert_eq!(address("https://h/realms/a/"), "https://h/realms/a/.well-known/openid-configuration");
    }
}
