//! A list that grows at its end and is forgotten from its beginning.

use std::collections::VecDeque;
use std::rc::Rc;

/// How many items are shared as one.
pub(super) const CHUNK: usize = 512;

/// Items under the numbers of their coming, oldest first. Cloning shares all but the newest few.
#[derive(Clone, Debug)]
pub struct Chunks<T> {
    sealed: VecDeque<Rc<[T]>>,
    open: Vec<T>,
    /// The number of the first item of the first chunk.
    first: u64,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { sealed: VecDeque::new(), open: Vec::new(), first: 0 }
    }
}

impl<T> Chunks<T> {
    /// Adds the newest item; items are numbered from 0.
    pub fn push(&mut self, item: T) {
        self.open.push(item);
        if self.open.len() == CHUNK {
            self.sealed.push_back(std::mem::take(&mut self.open).into());
        }
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
    pub fn get(&self, number: u64) -> Option<&T> {
        let offset = usize::try_from(number.checked_sub(self.first)?).ok()?;
        match self.sealed.get(offset / CHUNK) {
            Some(chunk) => chunk.get(offset % CHUNK),
            None => self.open.get(offset - self.sealed.len() * CHUNK),
        }
    }

    /// Forgets the chunks that end before the item numbered `number`.
    pub fn forget_before(&mut self, number: u64) {
        while self.first + CHUNK as u64 <= number && self.sealed.pop_front().is_some() {
            self.first += CHUNK as u64;
        }
    }
}
