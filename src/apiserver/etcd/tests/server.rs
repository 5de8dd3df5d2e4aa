//! Watches, and what the page can see of a message.
use std::time::Duration;

use super::super::CallKind;
use super::*;

/// Sends `op` and returns all that comes back, replies left out.
fn told(etcd: &mut Etcd<u32>, op: Op<u32>) -> Vec<Out<u32>> {
    let mut out = etcd.handle(START, Call::new(CallId::new(1), op));
    out.retain(|out| out.answers().is_none());
    out
}

fn write(etcd: &mut Etcd<u32>, ops: Vec<TxnOp<u32>>) -> Vec<Out<u32>> {
    told(etcd, Op::Txn(always(ops)))
}

fn watch(id: u64, keys: KeyRange, start: Option<u64>) -> WatchCreate {
    WatchCreate {
        id: WatchId::new(id),
        keys,
        start_revision: start.map(rev),
        prev_kv: true,
        progress_notify: false,
    }
}

/// `(watch, revision, events)` of the only message, or nothing.
fn only(out: &[Out<u32>]) -> Option<(WatchId, u64, Vec<String>)> {
    match out {
        [] => None,
        [Out::Watch { id, revision, events }] => Some((*id, revision.get(), lines(events))),
        other => panic!("more than one watch message: {other:?}"),
    }
}

#[test]
fn a_watch_tells_what_happens_from_now_on() {
    let mut etcd = Etcd::default();
    write(&mut etcd, vec![put("p/a", 1)]);
    assert_eq!(told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::prefix("p/"), None))), []);
    assert_eq!(write(&mut etcd, vec![put("q", 1)]), []);
    let out = write(&mut etcd, vec![put("p/b", 2), put("q", 2), delete(KeyRange::key("p/a"))]);
    let events = vec!["PUT p/b=2 @4".to_owned(), "DELETE p/a @4 was 1".to_owned()];
    assert_eq!(only(&out), Some((WatchId::new(1), 4, events)));
}

#[test]
fn a_watch_from_the_past_hears_it_first() {
    let mut etcd = Etcd::default();
    write(&mut etcd, vec![put("a", 1)]);
    write(&mut etcd, vec![put("a", 2)]);
    write(&mut etcd, vec![delete(KeyRange::key("a"))]);
    let out = told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::key("a"), Some(3))));
    let events = vec!["PUT a=2 @3 was 1".to_owned(), "DELETE a @4 was 2".to_owned()];
    assert_eq!(only(&out), Some((WatchId::new(1), 4, events)));
    let out = write(&mut etcd, vec![put("a", 3)]);
    assert_eq!(only(&out), Some((WatchId::new(1), 5, vec!["PUT a=3 @5".to_owned()])));
}

#[test]
fn a_watch_from_the_future_waits_for_it() {
    let mut etcd = Etcd::default();
    told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::key("a"), Some(3))));
    assert_eq!(write(&mut etcd, vec![put("a", 1)]), []);
    let out = write(&mut etcd, vec![put("a", 2)]);
    assert_eq!(only(&out), Some((WatchId::new(1), 3, vec!["PUT a=2 @3 was 1".to_owned()])));
}

#[test]
fn a_long_past_comes_in_messages_of_a_thousand_revisions() {
    let mut etcd = Etcd::default();
    for value in 0..2500 {
        write(&mut etcd, vec![put("a", value), put("b", value)]);
    }
    let out = told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::prefix(""), Some(1))));
    let sizes: Vec<_> = out
        .iter()
        .map(|out| {
            let Out::Watch { events, revision, .. } = out else { panic!("{out:?}") };
            (events.len(), revision.get())
        })
        .collect();
    assert_eq!(sizes, [(2000, 2501), (2000, 2501), (1000, 2501)]);
}

#[test]
fn a_watch_from_before_a_compaction_is_canceled() {
    let mut etcd = Etcd::default();
    for value in 1..=4 {
        write(&mut etcd, vec![put("a", value)]);
    }
    told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::key("a"), None)));
    told(&mut etcd, Op::Compact(rev(4)));
    let out = told(&mut etcd, Op::WatchCreate(watch(2, KeyRange::key("a"), Some(3))));
    let canceled = Out::WatchCanceled {
        id: WatchId::new(2),
        revision: rev(5),
        compact_revision: Some(rev(4)),
    };
    assert_eq!(out, [canceled]);
    let out = told(&mut etcd, Op::WatchCreate(watch(3, KeyRange::key("a"), Some(4))));
    let events = vec!["PUT a=3 @4".to_owned(), "PUT a=4 @5 was 3".to_owned()];
    assert_eq!(only(&out), Some((WatchId::new(3), 5, events)), "its own revision is still there");
    assert_eq!(etcd.watch_count(), 2, "a watch that is up to date stays");
}

#[test]
fn a_canceled_watch_says_so_and_then_nothing() {
    let mut etcd = Etcd::default();
    told(&mut etcd, Op::WatchCreate(watch(1, KeyRange::key("a"), None)));
    let id = WatchId::new(1);
    let canceled = Out::WatchCanceled { id, revision: rev(1), compact_revision: None };
    assert_eq!(told(&mut etcd, Op::WatchCancel(id)), [canceled]);
    assert_eq!(told(&mut etcd, Op::WatchCancel(id)), []);
    assert_eq!(write(&mut etcd, vec![put("a", 1)]), []);
}

#[test]
fn a_watch_needs_a_range_and_a_name_of_its_own() {
    let mut etcd = Etcd::<u32>::default();
    let mut create = |keys| {
        let create = Op::WatchCreate(watch(1, keys, None));
        ask(&mut etcd, START, create).map(|response| response.revision())
    };
    assert_eq!(create(KeyRange::span("b", "a")), Err(EtcdError::EmptyWatchRange));
    assert_eq!(create(KeyRange::key("a")), Ok(rev(1)));
    assert_eq!(create(KeyRange::key("a")), Err(EtcdError::DuplicateWatchId));
}

#[test]
fn an_idle_watch_is_told_the_revision_and_a_busy_one_is_not() {
    let mut etcd = Etcd::default();
    for (id, key) in [(1, "a"), (2, "b")] {
        let create = WatchCreate { progress_notify: true, ..watch(id, KeyRange::key(key), None) };
        told(&mut etcd, Op::WatchCreate(create));
    }
    write(&mut etcd, vec![put("a", 1)]);
    let five = START + Duration::from_secs(5);
    assert_eq!(etcd.next_timer(), Some(five));
    let progress = |id| Out::Progress { id: Some(WatchId::new(id)), revision: rev(2) };
    assert_eq!(etcd.on_timer(five), [progress(2)]);
    assert_eq!(etcd.on_timer(five + Duration::from_secs(5)), [progress(1), progress(2)]);
    let asked = told(&mut etcd, Op::WatchProgress);
    assert_eq!(asked, [Out::Progress { id: None, revision: rev(2) }]);
    for id in [1, 2] {
        told(&mut etcd, Op::WatchCancel(WatchId::new(id)));
    }
    etcd.on_timer(five + Duration::from_secs(10));
    assert_eq!(etcd.next_timer(), None, "nobody is left to be told");
}

#[test]
fn a_message_can_be_read_in_one_line() {
    let update = guarded("/registry/pods/default/web", 2, put("/registry/pods/default/web", 9));
    let create = watch(1, KeyRange::prefix("/registry/pods/"), Some(3));
    let page = Range { revision: Some(rev(3)), ..Range::latest(KeyRange::prefix("/registry/")) };
    let cases = [
        (Op::Txn(update), "put /registry/pods/default/web if mod_revision = 2", CallKind::Put),
        (Op::Range(page), "range /registry/* at 3", CallKind::Range),
        (Op::WatchCreate(create), "watch /registry/pods/* from 3", CallKind::Watch),
        (Op::Compact(rev(5)), "compact 5", CallKind::Compact),
        (Op::LeaseRevoke(LeaseId::new(255)), "lease revoke 00000000000000ff", CallKind::Lease),
    ];
    for (op, want, kind) in cases {
        let call = Call::new(CallId::new(1), op);
        assert_eq!((call.summary().as_str(), call.kind()), (want, kind));
    }
}

#[test]
fn a_look_at_a_put_shows_its_key_condition_and_value() {
    let call = Call::new(CallId::new(7), Op::Txn(guarded("a", 0, put("a", 9))));
    assert_eq!((call.id().get(), call.value()), (7, Some(&9)));
    assert_eq!(call.condition().as_deref(), Some("mod_revision = 0"));
    assert_eq!(call.keys().map(|keys| keys.start().to_string()).as_deref(), Some("a"));
    assert_eq!(call.compares(), [Compare::mod_revision_is("a", rev(0))]);
}

#[test]
fn only_what_goes_through_the_log_waits_for_the_disk() {
    let read = TxnOp::Range(Range::latest(KeyRange::key("a")));
    let cases = [
        (Op::Txn(guarded("a", 1, put("a", 1))), true),
        (Op::Txn(always(vec![read])), false),
        (Op::DeleteRange(KeyRange::key("a")), true),
        (Op::Compact(rev(1)), true),
        (Op::LeaseGrant { id: None, ttl_seconds: 5 }, true),
        (Op::LeaseKeepAlive(LeaseId::new(1)), false),
        (Op::Range(Range::latest(KeyRange::key("a"))), false),
        (Op::WatchCreate(watch(1, KeyRange::key("a"), None)), false),
        (Op::Status, false),
    ];
    for (op, want) in cases {
        let call = Call::new(CallId::new(1), op);
        assert_eq!(call.is_write(), want, "{}", call.summary());
    }
}

#[test]
fn status_tells_how_much_there_is() {
    let mut etcd = Etcd::default();
    write(&mut etcd, vec![put("a", 1)]);
    write(&mut etcd, vec![delete(KeyRange::key("a"))]);
    let out = etcd.handle(START, Call::new(CallId::new(1), Op::Status));
    assert_eq!(out.first().and_then(Out::revision), Some(rev(3)));
    let Some(Out::Reply { result: Ok(Response::Status(status)), .. }) = out.first() else {
        panic!("no status: {out:?}")
    };
    assert_eq!((status.sizes.keys, status.sizes.versions, status.sizes.log), (0, 2, 2));
}

#[test]
fn an_answer_can_be_read_in_one_line() {
    let mut etcd = Etcd::default();
    let mut said = |op| etcd.handle(START, Call::new(CallId::new(1), op)).remove(0).summary();
    assert_eq!(said(Op::Txn(guarded("a", 0, put("a", 1)))), "ok, revision 2");
    assert_eq!(said(Op::Txn(guarded("a", 0, put("a", 2)))), "condition does not hold, revision 2");
    assert_eq!(said(Op::DeleteRange(KeyRange::key("a"))), "1 deleted, revision 3");
    let refused = "etcdserver: mvcc: required revision is a future revision";
    assert_eq!(said(Op::Compact(rev(9))), refused);
}
