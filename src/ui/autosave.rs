//! When the page keeps the person's session: whenever something was sent, and whenever time stops, but
//! never so often that keeping is most of what the page does.

use std::time::Duration;

/// Of this many parts of the time, keeping may take one.
const PARTS: u32 = 20;

/// What of the session is kept, and when it is kept next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Autosave {
    /// How many inputs the session had when it was last seen.
    inputs: usize,
    moving: bool,
    /// Whether the person has done something in this session: only then is it theirs to keep.
    own: bool,
    standing: Standing,
    /// When it may be kept again.
    rested: Duration,
}

/// How what is kept stands to the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Kept,
    Due,
    /// The session has become too large to be kept.
    Outgrown,
}

/// What is to be done about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Rest,
    Keep,
    /// To be asked again then, on the wall's clock.
    Later(Duration),
}

impl Autosave {
    /// Of a session that begins with `inputs`; whether it is the person's `own`.
    pub fn begin(inputs: usize, own: bool) -> Self {
        Self { inputs, own, ..Self::default() }
    }

    /// Looks at the session as it is at `now` on the wall.
    pub fn turn(&mut self, inputs: usize, moving: bool, now: Duration) -> Turn {
        self.own |= inputs != self.inputs;
        // Who went back and did something else has a shorter session.
        let may_fit = self.standing == Standing::Outgrown && inputs < self.inputs;
        let has_changed = (inputs, moving) != (self.inputs, self.moving);
        if may_fit || (has_changed && self.standing == Standing::Kept) {
            self.standing = Standing::Due;
        }
        (self.inputs, self.moving) = (inputs, moving);
        if !self.own || self.standing != Standing::Due {
            Turn::Rest
        } else if now < self.rested {
            Turn::Later(self.rested)
        } else {
            Turn::Keep
        }
    }

    /// It was kept, in the time between two moments.
    pub fn kept(&mut self, began: Duration, ended: Duration) {
        self.standing = Standing::Kept;
        self.rested = ended + ended.saturating_sub(began) * (PARTS - 1);
    }

    /// It cannot be kept any more.
    pub fn outgrown(&mut self) {
        self.standing = Standing::Outgrown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn what_was_sent_is_kept_and_so_is_where_time_stops() {
        let mut autosave = Autosave::begin(0, false);
        assert_eq!(autosave.turn(0, true, millis(0)), Turn::Rest);
        assert_eq!(autosave.turn(0, false, millis(1)), Turn::Rest);
        assert_eq!(autosave.turn(1, true, millis(2)), Turn::Keep);
        autosave.kept(millis(2), millis(2));
        assert_eq!(autosave.turn(1, true, millis(3)), Turn::Rest);
        assert_eq!(autosave.turn(1, false, millis(4)), Turn::Keep);
    }

    #[test]
    fn keeping_takes_a_twentieth_of_the_time_and_nothing_is_forgotten() {
        let mut autosave = Autosave::begin(0, true);
        assert_eq!(autosave.turn(1, true, millis(100)), Turn::Keep);
        autosave.kept(millis(100), millis(110));
        assert_eq!(autosave.turn(2, true, millis(120)), Turn::Later(millis(300)));
        assert_eq!(autosave.turn(2, true, millis(299)), Turn::Later(millis(300)));
        assert_eq!(autosave.turn(2, true, millis(300)), Turn::Keep);
    }

    #[test]
    fn a_session_that_is_too_large_is_not_tried_again_until_it_is_shorter() {
        let mut autosave = Autosave::begin(0, true);
        assert_eq!(autosave.turn(1, true, millis(0)), Turn::Keep);
        autosave.outgrown();
        assert_eq!(autosave.turn(2, true, millis(1)), Turn::Rest);
        assert_eq!(autosave.turn(1, true, millis(2)), Turn::Keep);
    }
}
