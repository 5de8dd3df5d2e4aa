//! Addresses, ranges of them, and URLs.
//!
//! Mirrors: `ip.go`, `cidr.go` and `urls.go` of `apiserver/pkg/cel/library`.

use std::net::IpAddr;
use std::rc::Rc;

use super::{Function, Meter, Of, Stop, Value, global, member};
use crate::api::cel::cidr::Cidr;
use crate::api::cel::url::Url;
use crate::api::text::go_quote;

const IP: Of = Of::Named("net.IP");
const CIDR: Of = Of::Named("net.CIDR");
const URL: Of = Of::Named("kubernetes.URL");

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", &[Of::Text], IP, |meter, it| {
        let text = text(meter, it)?;
        parse_ip(text).map(Value::Ip).map_err(Stop::Failed)
    }),
    global("isIP", &[Of::Text], Of::Bool, |meter, it| {
        Ok(Value::Bool(parse_ip(text(meter, it)?).is_ok()))
    }),
    global("ip.isCanonical", &[Of::Text], Of::Bool, |meter, it| {
        let text = text(meter, it)?;
        let ip = parse_ip(text).map_err(Stop::Failed)?;
        Ok(Value::Bool(ip.to_string() == text))
    }),
    member("family", &[IP], Of::Int, |_, it| match it {
        [Value::Ip(ip)] => Ok(Value::Int(if ip.is_ipv4() { 4 } else { 6 })),
        _ => Err(Stop::no_overload()),
    }),
    member("isUnspecified", &[IP], Of::Bool, |_, it| is(it, IpAddr::is_unspecified)),
    member("isLoopback", &[IP], Of::Bool, |_, it| is(it, IpAddr::is_loopback)),
    member("isLinkLocalMulticast", &[IP], Of::Bool, |_, it| {
        is(it, |ip| match ip {
            IpAddr::V4(ip) => matches!(ip.octets(), [224, 0, 0, _]),
            IpAddr::V6(ip) => ip.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
        })
    }),
    member("isLinkLocalUnicast", &[IP], Of::Bool, |_, it| is(it, |ip| is_link_local(*ip))),
    member("isGlobalUnicast", &[IP], Of::Bool, |_, it| {
        is(it, |ip| {
            let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
            let is_special = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
            !is_broadcast && !is_special && !is_link_local(*ip)
        })
    }),
    global("cidr", &[Of::Text], CIDR, |meter, it| {
        Cidr::parse(text(meter, it)?).map(Value::Cidr).map_err(Stop::Failed)
    }),
    global("isCIDR", &[Of::Text], Of::Bool, |meter, it| {
        Ok(Value::Bool(Cidr::parse(text(meter, it)?).is_ok()))
    }),
    member("containsIP", &[CIDR, IP], Of::Bool, contains),
    member("containsIP", &[CIDR, Of::Text], Of::Bool, contains),
    member("containsCIDR", &[CIDR, CIDR], Of::Bool, contains_range),
    member("containsCIDR", &[CIDR, Of::Text], Of::Bool, contains_range),
    member("ip", &[CIDR], IP, |_, it| of_cidr(it, |cidr| Value::Ip(cidr.ip))),
    member("masked", &[CIDR], CIDR, |_, it| of_cidr(it, |cidr| Value::Cidr(cidr.masked()))),
    member("prefixLength", &[CIDR], Of::Int, |_, it| {
        of_cidr(it, |cidr| Value::Int(cidr.bits.into()))
    }),
    global("url", &[Of::Text], URL, |meter, it| {
        let url = Url::parse(text(meter, it)?).map_err(Stop::Failed)?;
        Ok(Value::Url(Rc::new(url)))
    }),
    global("isURL", &[Of::Text], Of::Bool, |meter, it| {
        Ok(Value::Bool(Url::parse(text(meter, it)?).is_ok()))
    }),
    member("getScheme", &[URL], Of::Text, |_, it| of_url(it, |url| url.scheme.as_str().into())),
    member("getHost", &[URL], Of::Text, |_, it| of_url(it, |url| url.host.as_str().into())),
    member("getHostname", &[URL], Of::Text, |_, it| of_url(it, |url| url.hostname().into())),
    member("getPort", &[URL], Of::Text, |_, it| of_url(it, |url| url.port().into())),
    member("getEscapedPath", &[URL], Of::Text, |_, it| of_url(it, |url| url.path.as_str().into())),
    member("getQuery", &[URL], Of::Map(&Of::Text, &Of::List(&Of::Text)), |meter, it| {
        let [Value::Url(url)] = it else { return Err(Stop::no_overload()) };
        meter.spend(url.query.len())?;
        Ok(query(&url.query))
    }),
];

fn text<'t>(meter: &mut Meter, it: &'t [Value]) -> Result<&'t str, Stop> {
    let text = it.first().and_then(Value::text).ok_or_else(Stop::no_overload)?;
    meter.read(text.len())?;
    Ok(text)
}

fn parse_ip(text: &str) -> Result<IpAddr, String> {
    let quoted = go_quote(text);
    let begin = format!("IP Address {quoted} parse error during conversion from string: ");
    let ip: IpAddr = text
        .parse()
        .ok()
        .ok_or_else(|| [&*begin, "ParseAddr(", &quoted, "): unable to parse IP"].concat())?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
            Err(begin + "IPv4-mapped IPv6 address is not allowed")
        }
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(ip),
    }
}

fn is(it: &[Value], is: fn(&IpAddr) -> bool) -> Result<Value, Stop> {
    let [Value::Ip(ip)] = it else { return Err(Stop::no_overload()) };
    Ok(Value::Bool(is(ip)))
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn contains(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    meter.spend(4)?;
    let (cidr, ip) = match it {
        [Value::Cidr(cidr), Value::Ip(ip)] => (cidr, *ip),
        [Value::Cidr(cidr), Value::Text(text)] => {
            meter.read(text.len())?;
            (cidr, parse_ip(text).map_err(Stop::Failed)?)
        }
        _ => return Err(Stop::no_overload()),
    };
    Ok(Value::Bool(cidr.contains(ip)))
}

fn contains_range(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    meter.spend(5)?;
    let (cidr, other) = match it {
        [Value::Cidr(cidr), Value::Cidr(other)] => (cidr, *other),
        [Value::Cidr(cidr), Value::Text(text)] => {
            meter.read(text.len())?;
            (cidr, Cidr::parse(text).map_err(Stop::Failed)?)
        }
        _ => return Err(Stop::no_overload()),
    };
    Ok(Value::Bool(cidr.contains_range(other)))
}

fn of_cidr(it: &[Value], of: fn(Cidr) -> Value) -> Result<Value, Stop> {
    let [Value::Cidr(cidr)] = it else { return Err(Stop::no_overload()) };
    Ok(of(*cidr))
}

fn of_url(it: &[Value], of: fn(&Url) -> Value) -> Result<Value, Stop> {
    let [Value::Url(url)] = it else { return Err(Stop::no_overload()) };
    Ok(of(url))
}

/// What a query asks for, by its names.
fn query(query: &str) -> Value {
    let mut all: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (unescaped(name), unescaped(value)) else { continue };
        let (name, value) = (Value::from(name), Value::from(value));
        match all.iter_mut().find(|(own, _)| own.equals(&name)) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
    let entries = all.into_iter().map(|(name, values)| (name, values.into()));
    Value::Map(Rc::new(crate::api::cel::value::Map::new(entries.collect())))
}

fn unescaped(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
