//! Points in time as the manifest writes them, to the minute and in UTC: `2007-01-16T10:51`.

use std::str::FromStr;

/// A minute between 1970 and 2037, which is what a PE time stamp is sure to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
}

impl Date {
    /// Seconds since 1970, as in the COFF header's `TimeDateStamp`.
    pub fn unix_seconds(self) -> u32 {
        let days = (1970..self.year)
            .map(|year| 365 + u32::from(is_leap(year)))
            .chain((1..self.month).map(|month| days_in(self.year, month)))
            .sum::<u32>()
            + self.day
            - 1;
        ((days * 24 + self.hour) * 60 + self.minute) * 60
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Date {
            year,
            month,
            day,
            hour,
            minute,
        } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Date, String> {
        parse(text).ok_or_else(|| {
            format!("`{text}` is no date of the form 2007-01-16T10:51 between 1970 and 2037")
        })
    }
}

fn parse(text: &str) -> Option<Date> {
    let shape_fits = text.len() == 16
        && text.bytes().enumerate().all(|(i, byte)| match i {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    if !shape_fits {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let date = Date {
        year: number(0..4)?,
        month: number(5..7)?,
        day: number(8..10)?,
        hour: number(11..13)?,
        minute: number(14..16)?,
    };
    let in_range = (1970..=2037).contains(&date.year)
        && (1..=12).contains(&date.month)
        && (1..=days_in(date.year, date.month)).contains(&date.day)
        && date.hour < 24
        && date.minute < 60;
    in_range.then_some(date)
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_agree_with_the_system_s_own_calendar() {
        for text in [
            "1970-01-01T00:00",
            "2000-02-01T13:04",
            "2000-02-29T23:59",
            "2007-01-16T10:51",
            "2037-12-31T23:59",
        ] {
            let output = std::process::Command::new("date")
                .args(["-u", "+%s", "-d", text])
                .output()
                .unwrap();
            let expected: u32 = String::from_utf8(output.stdout)
                .unwrap()
                .trim()
                .parse()
                .unwrap();
            let date: Date = text.parse().unwrap();
            assert_eq!(date.unix_seconds(), expected, "{text}");
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2007-01-16",
            "2007-01-16 10:51",
            "2007-13-16T10:51",
            "2007-02-29T10:51",
            "2007-01-00T10:51",
            "2007-01-16T24:00",
            "1969-12-31T23:59",
            "+007-01-16T10:51",
            "äüöäüöäüxx",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
