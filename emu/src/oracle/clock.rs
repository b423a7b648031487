//! Vector clocks (Mattern 1988; Fidge 1988): what each actor knows of the others.

/// How far each actor had got, by its index, when something happened. What is missing is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock(Vec<u32>);

impl Clock {
    /// How far the actor of this index had got.
    pub fn get(&self, actor: usize) -> u32 {
        self.0.get(actor).copied().unwrap_or(0)
    }

    /// The actor of this index goes one step on.
    pub fn advance(&mut self, actor: usize) {
        if self.0.len() <= actor {
            self.0.resize(actor + 1, 0);
        }
        self.0[actor] += 1;
    }

    /// Learns what the other clock knows.
    pub fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_known() {
        let (mut a, mut b) = (Clock::default(), Clock::default());
        a.advance(0);
        b.advance(2);
        b.advance(2);
        a.join(&b);
        assert_eq!([a.get(0), a.get(1), a.get(2), a.get(9)], [1, 0, 2, 0]);
        b.join(&Clock::default());
        assert_eq!(b.get(0), 0);
    }
}
