//! URLs, as far as expressions ask for their parts.
//!
//! Mirrors: `url.ParseRequestURI` of Go's `net/url`.

/// A URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: String,
    pub scheme: String,
    /// With the port, if there is one.
    pub host: String,
    pub path: String,
    pub query: String,
}

impl Url {
    /// Reads a URL, or a path from the root.
    ///
    /// # Errors
    ///
    /// It is none, in upstream's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let text = crate::api::text::go_quote(text);
            format!("URL parse error during conversion from string: parse {text}: {why}")
        };
        if text.is_empty() {
            return Err(wrong("empty url"));
        }
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = scheme(text).map_err(wrong)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if scheme.is_empty() && !rest.starts_with('/')
            || !rest.starts_with('/') && !scheme.is_empty() && rest.is_empty()
        {
            return Err(wrong("invalid URI for request"));
        }
        let mut url = Self {
            text: text.to_owned(),
            scheme: scheme.to_ascii_lowercase(),
            host: String::new(),
            path: String::new(),
            query: query.to_owned(),
        };
        if !rest.starts_with('/') {
            // A URL that has no path, as a mail address.
            return Ok(url);
        }
        let mut path = rest;
        if let Some(after) = rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
            let end = after.find('/').unwrap_or(after.len());
            let (host, rest) = after.split_at_checked(end).unwrap_or((after, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            check_host(host).map_err(|why| wrong(&why))?;
            host.clone_into(&mut url.host);
            path = rest;
        }
        if let Some(escape) = wrong_escape(path) {
            return Err(wrong(&format!(
                "invalid URL escape {}",
                crate::api::text::go_quote(escape)
            )));
        }
        path.clone_into(&mut url.path);
        Ok(url)
    }

    /// The host without its port.
    pub fn hostname(&self) -> &str {
        let (host, _) = self.split_host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port; empty if there is none.
    pub fn port(&self) -> &str {
        self.split_host().1
    }

    fn split_host(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                if self.host.starts_with('[') && !host.ends_with(']') {
                    (&self.host, "")
                } else {
                    (host, port)
                }
            }
            Some(_) | None => (&self.host, ""),
        }
    }
}

/// The scheme before the first colon, if there is one, and what follows.
fn scheme(text: &str) -> Result<(&str, &str), &'static str> {
    for (at, letter) in text.char_indices() {
        match letter {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme"),
            ':' => {
                let (scheme, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return Ok((scheme, rest.strip_prefix(':').unwrap_or(rest)));
            }
            _ => return Ok(("", text)),
        }
    }
    Ok(("", text))
}

fn check_host(host: &str) -> Result<(), String> {
    let port = if host.starts_with('[') {
        let Some((_, after)) = host.rsplit_once(']') else {
            return Err("missing ']' in host".to_owned());
        };
        after
    } else {
        host.find(':').and_then(|at| host.get(at..)).unwrap_or_default()
    };
    let is_port =
        port.strip_prefix(':').is_none_or(|port| port.bytes().all(|it| it.is_ascii_digit()));
    if !(port.is_empty() || port.starts_with(':') && is_port) {
        return Err(format!("invalid port {} after host", crate::api::text::go_quote(port)));
    }
    if let Some(letter) = host.chars().find(|letter| " <>\"\\^`{|}".contains(*letter)) {
        return Err(format!(
            "invalid character {} in host name",
            crate::api::text::go_quote(&letter.to_string())
        ));
    }
    match wrong_escape(host) {
        Some(escape) => Err(format!("invalid URL escape {}", crate::api::text::go_quote(escape))),
        None => Ok(()),
    }
}

/// The first `%` that no two digits follow, with what does.
fn wrong_escape(text: &str) -> Option<&str> {
    for (at, _) in text.match_indices('%') {
        let digits = text.get(at + 1..at + 3);
        if !digits.is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.char_indices().nth(3).map_or(rest.len(), |(end, _)| end);
            return rest.get(..end);
        }
    }
    None
}
