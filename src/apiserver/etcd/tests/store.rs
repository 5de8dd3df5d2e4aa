//! Ranges, transactions and compaction.
use super::super::{Relation, Target, TxnOpResponse};
use super::*;

fn all() -> KeyRange {
    KeyRange::prefix("")
}

#[test]
fn a_fresh_store_is_at_revision_one_and_every_write_adds_one() {
    let mut store = Store::default();
    assert_eq!(store.revision(), rev(1));
    assert_eq!(run(&mut store, vec![put("a", 1)]).revision, rev(2));
    assert_eq!(run(&mut store, vec![put("a", 2)]).revision, rev(3));
    assert_eq!(rows(&store, KeyRange::key("a"), None), [("a".into(), 2, 2, 3, 2)]);
}

#[test]
fn a_transaction_has_one_revision_and_one_that_changes_nothing_has_none() {
    let mut store = Store::default();
    run(&mut store, vec![put("a", 1), put("b", 2), put("c", 3)]);
    assert_eq!(store.revision(), rev(2));
    let response = run(&mut store, vec![delete(KeyRange::key("x"))]);
    assert_eq!(response.revision, rev(2));
    assert_eq!(*response.responses, [TxnOpResponse::DeleteRange { deleted: 0 }]);
    assert_eq!(store.delete_range(&KeyRange::prefix("")), Ok(3));
    assert_eq!(store.revision(), rev(3));
}

#[test]
fn a_key_that_comes_back_starts_again() {
    let mut store = Store::default();
    run(&mut store, vec![put("a", 1)]);
    run(&mut store, vec![put("a", 2)]);
    run(&mut store, vec![delete(KeyRange::key("a"))]);
    assert_eq!(rows(&store, all(), None), []);
    run(&mut store, vec![put("a", 3)]);
    assert_eq!(rows(&store, all(), None), [("a".into(), 3, 5, 5, 1)]);
    assert_eq!(rows(&store, all(), Some(3)), [("a".into(), 2, 2, 3, 2)]);
    assert_eq!(rows(&store, all(), Some(4)), []);
    assert_eq!(store.history("a").len(), 4);
}

#[test]
fn ranges_take_a_key_a_prefix_a_span_or_the_rest_of_a_prefix() {
    let mut store = Store::default();
    for key in ["/a", "/pods/a", "/pods/b", "/pods/c", "/podsx", "/q"] {
        run(&mut store, vec![put(key, 0)]);
    }
    let keys = |range| -> Vec<String> {
        rows(&store, range, None).into_iter().map(|(key, ..)| key).collect()
    };
    assert_eq!(keys(KeyRange::key("/pods/b")), ["/pods/b"]);
    assert_eq!(keys(KeyRange::key("/pods")), [""; 0]);
    assert_eq!(keys(KeyRange::prefix("/pods/")), ["/pods/a", "/pods/b", "/pods/c"]);
    assert_eq!(keys(KeyRange::prefix_from("/pods/", "/pods/b\0")), ["/pods/c"]);
    assert_eq!(keys(KeyRange::span("/pods/b", "/q")), ["/pods/b", "/pods/c", "/podsx"]);
    assert_eq!(keys(KeyRange::span("/q", "/a")), [""; 0]);
    assert_eq!(keys(all()).len(), 6);
}

#[test]
fn a_limit_holds_back_keys_but_counts_them() {
    let mut store = Store::default();
    run(&mut store, vec![put("a", 1), put("b", 2), put("c", 3)]);
    let range = |limit, count_only| {
        let range = Range { limit, count_only, ..Range::latest(KeyRange::prefix("")) };
        let response = store.range(&range).unwrap();
        (response.kvs.len(), response.more, response.count)
    };
    assert_eq!(range(Some(2), false), (2, true, 3));
    assert_eq!(range(Some(3), false), (3, false, 3));
    assert_eq!(range(Some(0), false), (3, false, 3));
    assert_eq!(range(Some(1), true), (0, false, 3));
}

#[test]
fn a_guarded_write_succeeds_once_and_tells_the_loser_what_is_there() {
    let mut store = Store::default();
    assert!(store.txn(&guarded("a", 0, put("a", 1))).unwrap().succeeded);
    let lost = store.txn(&guarded("a", 0, put("a", 2))).unwrap();
    assert!(!lost.succeeded);
    let [TxnOpResponse::Range(found)] = &*lost.responses else { panic!("not a range: {lost:?}") };
    assert_eq!(row(&found.kvs[0]), ("a".into(), 1, 2, 2, 1));
    assert!(store.txn(&guarded("a", 2, delete(KeyRange::key("a")))).unwrap().succeeded);
    assert_eq!(store.revision(), rev(3));
}

#[test]
fn compares_look_at_each_number_and_see_zero_for_a_missing_key() {
    let mut store = Store::default();
    run(&mut store, vec![put("other", 0)]);
    run(&mut store, vec![put("a", 1)]);
    run(&mut store, vec![put("a", 2)]);
    // `a` is now at version 2, created at 3, changed at 4.
    let cases = [
        ("a", Relation::Equal, Target::Version(2), true),
        ("a", Relation::Equal, Target::CreateRevision(rev(3)), true),
        ("a", Relation::Greater, Target::ModRevision(rev(3)), true),
        ("a", Relation::Greater, Target::ModRevision(rev(4)), false),
        ("a", Relation::Less, Target::ModRevision(rev(4)), false),
        ("a", Relation::Less, Target::CreateRevision(rev(4)), true),
        ("a", Relation::NotEqual, Target::Version(2), false),
        ("none", Relation::Equal, Target::Version(0), true),
        ("none", Relation::Equal, Target::CreateRevision(rev(0)), true),
        ("none", Relation::NotEqual, Target::ModRevision(rev(0)), false),
    ];
    for (key, relation, target, want) in cases {
        let compare = Compare { key: key.into(), relation, target };
        let txn = Txn { compare: vec![compare.clone()], ..always(Vec::new()) };
        assert_eq!(store.txn(&txn).unwrap().succeeded, want, "{compare}");
    }
}

#[test]
fn a_range_in_a_transaction_sees_what_the_transaction_wrote() {
    let mut store = Store::default();
    run(&mut store, vec![put("a", 1)]);
    let read = || TxnOp::Range(Range::latest(KeyRange::key("a")));
    let response = run(&mut store, vec![read(), put("a", 2), read()]);
    let seen: Vec<_> = response
        .responses
        .iter()
        .filter_map(|response| match response {
            TxnOpResponse::Range(range) => Some((range.revision.get(), range.kvs[0].value)),
            TxnOpResponse::Put | TxnOpResponse::DeleteRange { .. } => None,
        })
        .collect();
    assert_eq!(seen, [(2, 1), (3, 2)]);
}

#[test]
fn a_refused_transaction_changes_nothing() {
    let range_at = |at| TxnOp::Range(Range { revision: Some(rev(at)), ..Range::latest(all()) });
    let overlap = vec![put("a/1", 1), delete(KeyRange::prefix("a/"))];
    let too_many = (0..129).map(|index| put(&format!("k{index}"), 0)).collect();
    let cases = [
        (vec![put("x", 1), put("x", 2)], EtcdError::DuplicateKey),
        (overlap, EtcdError::DuplicateKey),
        (too_many, EtcdError::TooManyOps),
        (vec![put("x", 1), put("", 1)], EtcdError::EmptyKey),
        (vec![put("x", 1), range_at(5)], EtcdError::FutureRevision),
        (vec![put("x", 1), range_at(2)], EtcdError::Compacted),
        (vec![put("x", 1), leased("y", LeaseId::new(9))], EtcdError::LeaseNotFound),
    ];
    let mut store = Store::default();
    for value in 1..=3 {
        run(&mut store, vec![put("a", value)]);
    }
    store.compact(rev(3)).unwrap();
    for (ops, want) in cases {
        assert_eq!(store.txn(&always(ops)), Err(want));
        assert_eq!(store.revision(), rev(4));
        assert_eq!(store.sizes().keys, 1);
    }
}

#[test]
fn errors_speak_with_etcds_words() {
    let said = |error: EtcdError| error.to_string();
    let compacted = "etcdserver: mvcc: required revision has been compacted";
    assert_eq!(said(EtcdError::Compacted), compacted);
    let future = "etcdserver: mvcc: required revision is a future revision";
    assert_eq!(said(EtcdError::FutureRevision), future);
    assert_eq!(said(EtcdError::LeaseNotFound), "etcdserver: requested lease not found");
}

#[test]
fn compaction_keeps_the_newest_of_each_key_and_a_tombstone_at_its_own_revision() {
    // The example of etcd's key_index.go: put, put, delete, put, delete; here from revision 2 on.
    let lived = || {
        let mut store = Store::default();
        for op in [put("a", 1), put("a", 2), delete(KeyRange::key("a")), put("a", 3)] {
            run(&mut store, vec![op]);
        }
        run(&mut store, vec![delete(KeyRange::key("a"))]);
        run(&mut store, vec![put("b", 1)]);
        store
    };
    let left_at = |at| {
        let mut store = lived();
        store.compact(rev(at)).unwrap();
        let left = store.history("a").iter().map(|change| change.mod_revision().get());
        left.collect::<Vec<_>>()
    };
    assert_eq!(left_at(2), [2, 3, 4, 5, 6]);
    assert_eq!(left_at(3), [3, 4, 5, 6]);
    assert_eq!(left_at(4), [4, 5, 6]);
    assert_eq!(left_at(5), [5, 6]);
    assert_eq!(left_at(6), [6]);
    assert_eq!(left_at(7), [0; 0]);
    let mut store = lived();
    store.compact(rev(6)).unwrap();
    store.compact(rev(7)).unwrap();
    assert_eq!(store.history("a"), []);
    assert_eq!((store.sizes().versions, store.sizes().log), (1, 1));
}

#[test]
fn reads_below_a_compaction_fail_and_at_it_still_work() {
    let mut store = Store::default();
    for value in 1..=4 {
        run(&mut store, vec![put("a", value)]);
    }
    store.compact(rev(3)).unwrap();
    let read = |at| {
        let range = Range { revision: Some(rev(at)), ..Range::latest(KeyRange::key("a")) };
        store.range(&range).map(|response| response.kvs[0].value)
    };
    assert_eq!(read(2), Err(EtcdError::Compacted));
    assert_eq!(read(3), Ok(2));
    assert_eq!(read(5), Ok(4));
    assert_eq!(read(6), Err(EtcdError::FutureRevision));
    let mut store = store.clone();
    assert_eq!(store.compact(rev(3)), Err(EtcdError::Compacted));
    assert_eq!(store.compact(rev(6)), Err(EtcdError::FutureRevision));
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut store = Store::default();
    run(&mut store, vec![put("a", 1), put("b", 1)]);
    let mut copy = store.clone();
    run(&mut store, vec![put("a", 2)]);
    store.delete_range(&KeyRange::key("b")).unwrap();
    store.compact(rev(4)).unwrap();
    assert_eq!(rows(&copy, all(), None), [("a".into(), 1, 2, 2, 1), ("b".into(), 1, 2, 2, 1)]);
    run(&mut copy, vec![put("c", 7)]);
    assert_eq!(rows(&store, all(), None), [("a".into(), 2, 2, 3, 2)]);
    assert_eq!((store.revision(), copy.revision()), (rev(4), rev(3)));
}
