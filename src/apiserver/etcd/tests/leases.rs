//! Leases on virtual time.
use std::time::Duration;

use super::*;

fn at(seconds: u64) -> Instant {
    START + Duration::from_secs(seconds)
}

fn grant(etcd: &mut Etcd<u32>, ttl_seconds: u64) -> LeaseId {
    match ask(etcd, START, Op::LeaseGrant { id: None, ttl_seconds }) {
        Ok(Response::LeaseGrant { id, .. }) => id,
        other => panic!("no lease: {other:?}"),
    }
}

fn keep_alive(etcd: &mut Etcd<u32>, now: Instant, id: LeaseId) -> u64 {
    match ask(etcd, now, Op::LeaseKeepAlive(id)) {
        Ok(Response::LeaseKeepAlive { ttl_seconds, .. }) => ttl_seconds,
        other => panic!("no answer: {other:?}"),
    }
}

#[test]
fn the_end_of_a_lease_deletes_its_keys_in_order_at_one_revision() {
    let mut etcd = Etcd::default();
    let lease = grant(&mut etcd, 10);
    for key in ["e/b", "e/a", "e/c"] {
        ask(&mut etcd, START, Op::Txn(always(vec![leased(key, lease)]))).unwrap();
    }
    ask(&mut etcd, START, Op::Txn(always(vec![put("e/c", 1)]))).unwrap();
    let create = WatchCreate {
        id: WatchId::new(1),
        keys: KeyRange::prefix("e/"),
        start_revision: None,
        prev_kv: true,
        progress_notify: false,
    };
    ask(&mut etcd, START, Op::WatchCreate(create)).unwrap();
    assert_eq!(etcd.next_timer(), Some(at(10)));
    assert_eq!(etcd.on_timer(at(9)), []);
    let out = etcd.on_timer(at(10));
    let [Out::Watch { revision, events, .. }] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(*revision, rev(6));
    assert_eq!(lines(events), ["DELETE e/a @6 was 0", "DELETE e/b @6 was 0"]);
    assert_eq!(etcd.store().sizes().keys, 1, "a put without the lease let its key go");
    assert_eq!(etcd.next_timer(), None);
}

#[test]
fn a_lease_lives_as_long_as_it_is_kept_alive() {
    let mut etcd = Etcd::default();
    let lease = grant(&mut etcd, 10);
    assert_eq!(keep_alive(&mut etcd, at(9), lease), 10);
    assert_eq!(etcd.next_timer(), Some(at(19)));
    assert_eq!(keep_alive(&mut etcd, at(19), lease), 0, "one that is over is not saved");
    etcd.on_timer(at(19));
    assert_eq!(ask(&mut etcd, at(20), Op::LeaseRevoke(lease)), Err(EtcdError::LeaseNotFound));
    assert_eq!(etcd.store().revision(), rev(1), "an empty lease changes no key");
}

#[test]
fn leases_that_end_together_end_one_after_another() {
    let mut etcd = Etcd::default();
    let (first, second) = (grant(&mut etcd, 5), grant(&mut etcd, 5));
    ask(&mut etcd, START, Op::Txn(always(vec![leased("a", second), leased("b", first)]))).unwrap();
    etcd.on_timer(at(5));
    assert_eq!(etcd.store().history("b")[1].mod_revision(), rev(3));
    assert_eq!(etcd.store().history("a")[1].mod_revision(), rev(4));
}

#[test]
fn a_revoked_lease_takes_its_keys_and_a_deleted_key_leaves_its_lease() {
    let mut etcd = Etcd::default();
    let lease = grant(&mut etcd, 60);
    ask(&mut etcd, START, Op::Txn(always(vec![leased("a", lease), leased("b", lease)]))).unwrap();
    ask(&mut etcd, START, Op::DeleteRange(KeyRange::key("a"))).unwrap();
    let attached = |etcd: &Etcd<u32>| {
        let leases = etcd.store().leases();
        leases.map(|(_, lease)| lease.keys().count()).collect::<Vec<_>>()
    };
    assert_eq!(attached(&etcd), [1]);
    ask(&mut etcd, START, Op::LeaseRevoke(lease)).unwrap();
    assert_eq!(attached(&etcd), [0; 0]);
    assert_eq!(etcd.store().sizes().keys, 0);
}

#[test]
fn grants_keep_to_etcds_bounds() {
    let mut etcd = Etcd::<u32>::default();
    let mut ask = |id, ttl_seconds| {
        let granted = ask(&mut etcd, START, Op::LeaseGrant { id, ttl_seconds })?;
        let Response::LeaseGrant { ttl_seconds, .. } = granted else { panic!("{granted:?}") };
        Ok(ttl_seconds)
    };
    assert_eq!(ask(None, 1), Ok(2), "the shortest is two seconds");
    assert_eq!(ask(Some(LeaseId::new(7)), 60), Ok(60));
    assert_eq!(ask(Some(LeaseId::new(7)), 60), Err(EtcdError::LeaseExists));
    assert_eq!(ask(None, 9_000_000_001), Err(EtcdError::LeaseTtlTooLarge));
}
