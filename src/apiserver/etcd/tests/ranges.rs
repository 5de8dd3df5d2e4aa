//! The watches that a key concerns are those that hold it: that is the naive model.
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::ranges::Ranges;
use super::*;

fn keys() -> impl Strategy<Value = KeyRange> {
    let text = || "[a-c/]{0,3}";
    prop_oneof![
        text().prop_map(KeyRange::key),
        text().prop_map(KeyRange::prefix),
        (text(), text()).prop_map(|(start, end)| KeyRange::span(start, end)),
    ]
}

proptest! {
    #[test]
    fn a_key_is_found_in_every_range_that_has_it(
        ranges in vec(keys(), 0..20), key in "[a-c/]{0,4}",
    ) {
        let named: Vec<(WatchId, &KeyRange)> = (1..).map(WatchId::new).zip(&ranges).collect();
        let mut found: Vec<WatchId> = Ranges::new(named.iter().copied()).having(&key).collect();
        found.sort_unstable();
        let having = named.iter().filter(|(_, keys)| keys.contains(&key)).map(|(id, _)| *id);
        prop_assert_eq!(found, having.collect::<Vec<_>>());
    }
}
