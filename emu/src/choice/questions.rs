//! What was asked in a run, and what was answered: kept when a run is recorded.

use super::Action;

/// Every choice of a run, in order.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    options: Vec<Action>,
    /// Of each choice: where its options end in the list above, the answer, and the core that had
    /// run last.
    choices: Vec<(u32, u32, u8)>,
}

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// What could happen.
    pub options: &'a [Action],
    /// Index of what did.
    pub taken: usize,
    /// The core that had run last.
    pub current: u8,
}

impl Questions {
    /// Adds the next choice.
    pub fn push(&mut self, options: &[Action], taken: usize, current: u8) {
        self.options.extend_from_slice(options);
        let end = self.options.len() as u32;
        self.choices.push((end, taken as u32, current));
    }

    /// The choice of that number, counted from 1.
    pub fn get(&self, number: u64) -> Option<Question<'_>> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let &(end, taken, current) = self.choices.get(index)?;
        let start = index.checked_sub(1).map_or(0, |i| self.choices[i].0);
        Some(Question {
            number,
            options: &self.options[start as usize..end as usize],
            taken: taken as usize,
            current,
        })
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.choices.len() as u64
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.options.clear();
        self.choices.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_keep_their_options_and_answers() {
        let mut asked = Questions::default();
        assert_eq!(asked.get(0), None);
        asked.push(&[Action::Run(0), Action::Run(1)], 1, 0);
        asked.push(&[Action::Run(1), Action::Clock(0), Action::Run(0)], 0, 1);
        let first = asked.get(1).unwrap();
        assert_eq!((first.options.len(), first.taken, first.current), (2, 1, 0));
        let second = asked.get(2).unwrap();
        assert_eq!(second.options[1], Action::Clock(0));
        assert_eq!((second.number, asked.get(3)), (2, None));
    }
}
