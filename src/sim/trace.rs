//! The trace: the messages of a window of time that ends now.

use std::rc::Rc;

use super::chunks::{CHUNK, Chunks};

/// The newest items, oldest first, each under its number. Cloning shares all but the newest few.
#[derive(Clone, Debug)]
pub struct Trace<M> {
    items: Chunks<Rc<M>>,
    /// How many are kept: whole chunks.
    window: u64,
}

impl<M> Trace<M> {
    /// A trace that keeps at least the last `window` items.
    pub fn new(window: usize) -> Self {
        Self { items: Chunks::default(), window: in_chunks(window).max(CHUNK as u64) }
    }

    /// Adds the newest item; items are numbered from 0.
    pub fn push(&mut self, item: Rc<M>) {
        self.items.push(item);
        self.items.forget_before(self.end().saturating_sub(self.window));
    }

    /// Keeps no more than about the last `window` of the items that there are now.
    pub fn shorten(&mut self, window: usize) {
        let open = self.end() % CHUNK as u64;
        self.items.forget_before((self.end() - open).saturating_sub(in_chunks(window)));
    }

    /// How many items are kept.
    pub fn kept(&self) -> u64 {
        self.end() - self.first()
    }

    /// The number of the oldest item that is kept.
    pub fn first(&self) -> u64 {
        self.items.first()
    }

    /// The number that the next item gets.
    pub fn end(&self) -> u64 {
        self.items.end()
    }

    /// The item numbered `number`, if it is kept.
    pub fn get(&self, number: u64) -> Option<&Rc<M>> {
        self.items.get(number)
    }

    /// The items that are kept from `number` on, oldest first.
    pub fn from(&self, number: u64) -> impl Iterator<Item = &Rc<M>> {
        let start = number.max(self.first());
        (start..self.end()).filter_map(|number| self.get(number))
    }
}

/// `items`, and what is missing to whole chunks.
fn in_chunks(items: usize) -> u64 {
    (items.div_ceil(CHUNK) * CHUNK) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_keeps_its_window_and_says_where_it_begins() {
        let mut trace = Trace::new(CHUNK);
        for number in 0..3 * CHUNK as u64 + 7 {
            trace.push(Rc::new(number));
        }
        assert_eq!(trace.first(), 2 * CHUNK as u64);
        assert_eq!(trace.get(trace.first() - 1), None);
        let kept: Vec<u64> = trace.from(0).map(|item| **item).collect();
        assert_eq!(kept, (trace.first()..trace.end()).collect::<Vec<_>>());
    }

    #[test]
    fn a_shortened_trace_goes_on_with_the_same_numbers() {
        let mut trace = Trace::new(8 * CHUNK);
        for number in 0..6 * CHUNK as u64 + 7 {
            trace.push(Rc::new(number));
        }
        trace.shorten(CHUNK);
        assert_eq!(trace.kept(), CHUNK as u64 + 7);
        assert_eq!(trace.get(trace.first()).map(|item| **item), Some(trace.first()));
        assert_eq!(trace.end(), 6 * CHUNK as u64 + 7);
    }
}
