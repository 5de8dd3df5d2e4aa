//! What clients speak when they forward ports, as the example hears it.

use proptest::prelude::*;

use super::engine::Piece;
use super::forward::{CHANNELS, Heard, Protocol, TUNNEL, protocol};

/// The headers of three streams, one after the other, as zlib packs them behind the protocol's dictionary: those
/// of errors and of data to port 80, and one that says no more than the port.
const HEADERS: [&str; 3] = [
    "78f9e3c6a7c202253a48f95b044aab4c16064092b308125b99a054cc68004e872545a989b9d0a2863515141100000000ffff",
    "224b2ba8944a04000000ffff",
    "0249a1ea04000000ffff",
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn frame(first: u32, flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap() | u32::from(flags) << 24;
    [&first.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

fn control(kind: u32, body: &[u8]) -> Vec<u8> {
    frame(0x8003_0000 | kind, 0, body)
}

/// A stream begins.
fn opened(stream: u32, headers: &str) -> Vec<u8> {
    control(1, &[&stream.to_be_bytes()[..], &[0; 6], &bytes(headers)].concat())
}

/// A session as kubectl begins one: a ping, both streams of a connection, and what it sends.
fn session() -> Vec<u8> {
    [
        control(6, &1_u32.to_be_bytes()),
        opened(1, HEADERS[0]),
        frame(1, 1, b""),
        opened(3, HEADERS[1]),
        frame(3, 0, b"GET /"),
        frame(3, 1, b""),
    ]
    .concat()
}

fn heard(session: &mut dyn Protocol, bytes: &[u8]) -> Heard {
    session.heard(bytes)
}

#[test]
fn two_streams_are_a_connection() {
    let mut spdy = protocol(TUNNEL, "");
    let Heard { pieces, messages, is_over } = heard(&mut *spdy, &session());
    let want = [Piece::Open(80), Piece::Bytes(b"GET /".into()), Piece::End];
    assert_eq!(pieces, want.map(|piece| (1, piece)));
    assert!(!is_over);
    // The first reply begins the text that headers are, the next goes on with it.
    let block = [0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    let begun = [&[0x78, 0x20, 0xe3, 0xc6, 0xa7, 0xc2], &block[..]].concat();
    let reply = |stream: u32, block: &[u8]| control(2, &[&stream.to_be_bytes(), block].concat());
    let pong = control(6, &1_u32.to_be_bytes());
    assert_eq!(messages, [pong, reply(1, &begun), reply(3, &block)]);
    let answer = spdy.told(1, Piece::Bytes(vec![7; 40_000]));
    assert_eq!(answer, [frame(3, 0, &vec![7; 32_768]), frame(3, 0, &[7; 7_232])]);
    // Both streams end, the one of errors first.
    assert_eq!(spdy.told(1, Piece::End), [frame(1, 1, b""), frame(3, 1, b"")]);
    assert!(spdy.told(1, Piece::End).is_empty());
    // Without knowing what a stream is for, nobody can do anything with it.
    let refused = heard(&mut *spdy, &opened(5, HEADERS[2]));
    assert_eq!(
        (refused.pieces, refused.messages),
        (vec![], vec![control(3, &[0, 0, 0, 5, 0, 0, 0, 1])])
    );
    assert!(heard(&mut *spdy, &control(7, &[0; 8])).is_over);
}

#[test]
fn why_a_connection_fails_is_said_on_its_own_stream() {
    let mut spdy = protocol(TUNNEL, "");
    heard(&mut *spdy, &session());
    let want = [frame(1, 0, b"refused"), frame(1, 1, b""), frame(3, 1, b"")];
    assert_eq!(spdy.told(1, Piece::Error("refused".to_owned())), want);
    let mut spdy = protocol(TUNNEL, "");
    heard(&mut *spdy, &session());
    let reset = heard(&mut *spdy, &control(3, &[0, 0, 0, 3, 0, 0, 0, 5]));
    assert_eq!(reset.pieces, [(1, Piece::End)]);
    assert!(spdy.told(1, Piece::Bytes(vec![1])).is_empty());
}

#[test]
fn what_is_no_spdy_ends_the_session() {
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n________________".to_vec(),
        frame(0x8002_0001, 0, b""),
        control(1, b"short"),
        opened(1, HEADERS[1]),
        control(4, &vec![0; 70_000]),
    ] {
        // What looks like data is for no stream that there is.
        let is_data = bytes[0] < 0x80;
        assert_ne!(heard(&mut *protocol(TUNNEL, ""), &bytes).is_over, is_data, "{bytes:?}");
    }
}

#[test]
fn channels_say_first_which_port_is_theirs() {
    let mut channels = protocol(CHANNELS, "/x/portforward?a=b&ports=80%2C8080");
    assert_eq!(channels.begin(), [[0, 80, 0], [1, 80, 0], [2, 0x90, 0x1f], [3, 0x90, 0x1f]]);
    assert_eq!(heard(&mut *channels, &[2, 7, 8]).pieces, [(1, Piece::Bytes(vec![7, 8]))]);
    for nothing in [&[][..], &[2], &[3, 7]] {
        assert!(heard(&mut *channels, nothing).pieces.is_empty());
    }
    assert_eq!(channels.told(1, Piece::Bytes(vec![9])), [[2, 9]]);
    assert_eq!(channels.told(0, Piece::Error("no".to_owned())), [b"\x01no"]);
    assert!(!channels.is_over());
    assert!(channels.told(1, Piece::End).is_empty());
    assert!(channels.is_over());
}

proptest! {
    #[test]
    fn pieces_do_not_depend_on_how_bytes_come(cuts in proptest::collection::vec(0_usize..200, 0..6)) {
        let (whole, mut spdy, mut pieces) = (session(), protocol(TUNNEL, ""), Vec::new());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        for ends in cuts.windows(2) {
            pieces.extend(heard(&mut *spdy, &whole[ends[0]..ends[1]]).pieces);
        }
        prop_assert_eq!(pieces, heard(&mut *protocol(TUNNEL, ""), &whole).pieces);
    }

    #[test]
    fn no_bytes_upset_a_session(noise in proptest::collection::vec(any::<(usize, u8)>(), 0..20), rest: Vec<u8>) {
        let mut bytes = session();
        for (at, byte) in noise {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        for name in [TUNNEL, CHANNELS] {
            let mut session = protocol(name, "?ports=80");
            session.heard(&bytes);
            session.heard(&rest);
        }
    }
}
