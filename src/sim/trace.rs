//! The trace: the messages of a window of time that ends now.

use std::collections::VecDeque;
use std::rc::Rc;

const CHUNK: usize = 512;

/// The newest items, oldest first, each under its number. Cloning shares all but the newest few.
#[derive(Clone, Debug)]
pub struct Trace<M> {
    sealed: VecDeque<Rc<[Rc<M>]>>,
    open: Vec<Rc<M>>,
    first: u64,
    chunks: usize,
}

impl<M> Trace<M> {
    /// A trace that keeps at least the last `window` items.
    pub fn new(window: usize) -> Self {
        let chunks = window.div_ceil(CHUNK).max(1);
        Self { sealed: VecDeque::new(), open: Vec::new(), first: 0, chunks }
    }

    /// Adds the newest item; items are numbered from 0.
    pub fn push(&mut self, item: Rc<M>) {
        self.open.push(item);
        if self.open.len() == CHUNK {
            self.sealed.push_back(std::mem::take(&mut self.open).into());
            if self.sealed.len() > self.chunks && self.sealed.pop_front().is_some() {
                self.first += CHUNK as u64;
            }
        }
    }

    /// Keeps no more than about the last `window` of the items that there are now.
    pub fn shorten(&mut self, window: usize) {
        while self.sealed.len() > window.div_ceil(CHUNK) && self.sealed.pop_front().is_some() {
            self.first += CHUNK as u64;
        }
    }

    /// How many items are kept.
    pub fn kept(&self) -> u64 {
        self.end() - self.first
    }

    /// The number of the oldest item that is kept.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next item gets.
    pub fn end(&self) -> u64 {
        self.first + (self.sealed.len() * CHUNK + self.open.len()) as u64
    }

    /// The item numbered `number`, if it is kept.
    pub fn get(&self, number: u64) -> Option<&Rc<M>> {
        let offset = usize::try_from(number.checked_sub(self.first)?).ok()?;
        match self.sealed.get(offset / CHUNK) {
            Some(chunk) => chunk.get(offset % CHUNK),
            None => self.open.get(offset - self.sealed.len() * CHUNK),
        }
    }

    /// The items that are kept from `number` on, oldest first.
    pub fn from(&self, number: u64) -> impl Iterator<Item = &Rc<M>> {
        let start = number.max(self.first);
        (start..self.end()).filter_map(|number| self.get(number))
    }
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
