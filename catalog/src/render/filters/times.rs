//! Times as text. There is no clock in a catalog: the time is always given.

use std::fmt::Write as _;

use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};

pub(super) const FILTERS: &[Filter] = &[filter("strftime", &["second", "utc"], of_call)];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Seconds before and after 1970 whose years have four digits.
const SECONDS: std::ops::Range<f64> = -62_135_596_800.0..253_402_300_800.0;

fn of_call(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let format = call.value_text()?;
    let seconds = match call.some("second") {
        None => {
            return Err(call.advises(
                "needs the `second`: a catalog knows no present time",
                "facts have the time of the host's last report",
            ));
        }
        Some(value) => match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => f64::try_from(value.clone()).ok(),
        },
    };
    let seconds = seconds.filter(|seconds| SECONDS.contains(seconds));
    let seconds = seconds.ok_or_else(|| call.fails("`second` is no time"))?;
    #[allow(clippy::cast_possible_truncation)]
    let text = strftime(format, seconds.floor() as i64);
    call.gives(text)
}

/// A point in time, in UTC.
struct Time {
    seconds: i64,
    year: i64,
    /// From 0.
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From Sunday.
    weekday: i64,
    /// From 0.
    day_of_year: i64,
}

impl Time {
    fn of(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let start = days_before(year, 0, 1);
        Self {
            seconds,
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - start,
        }
    }

    /// The week by ISO 8601, and the year that it is of.
    fn iso_week(&self) -> (i64, i64) {
        let weekday = (self.weekday + 6) % 7;
        let week = (self.day_of_year - weekday + 10) / 7;
        let weeks = |year: i64| {
            let first = (days_before(year, 0, 1) + 3).rem_euclid(7);
            let leap = days_before(year + 1, 0, 1) - days_before(year, 0, 1) == 366;
            if first == 3 || (first == 2 && leap) {
                53
            } else {
                52
            }
        };
        match week {
            0 => (self.year - 1, weeks(self.year - 1)),
            53 if weeks(self.year) == 52 => (self.year + 1, 1),
            week => (self.year, week),
        }
    }
}

/// The days before a date since 1970.
fn days_before(year: i64, month: usize, day: i64) -> i64 {
    let month = i64::try_from(month).unwrap_or(0) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month from 0 and day, of days since 1970.
fn date(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12;
    let year = year + era * 400 + i64::from(month < 2);
    (year, usize::try_from(month).unwrap_or(0), day)
}

/// A time in UTC as a format says.
fn strftime(format: &str, seconds: i64) -> String {
    let time = Time::of(seconds);
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next() {
                Some('-') => {
                    let part = part(letters.next().unwrap_or('-'), &time);
                    let bare = part.trim_start_matches(['0', ' ']);
                    out.push_str(if bare.is_empty() { "0" } else { bare });
                }
                Some(letter) => out.push_str(&part(letter, &time)),
                None => out.push('%'),
            },
            other => out.push(other),
        }
    }
    out
}

fn part(letter: char, time: &Time) -> String {
    let day = DAYS[usize::try_from(time.weekday).unwrap_or(0) % DAYS.len()];
    let month = MONTHS[time.month % MONTHS.len()];
    let hour12 = if time.hour % 12 == 0 {
        12
    } else {
        time.hour % 12
    };
    let half = if time.hour < 12 { "AM" } else { "PM" };
    let whole = |format: &str| strftime(format, time.seconds);
    let mut out = String::new();
    let _ = match letter {
        'a' => write!(out, "{}", &day[..3]),
        'A' => write!(out, "{day}"),
        'b' | 'h' => write!(out, "{}", &month[..3]),
        'B' => write!(out, "{month}"),
        'c' => write!(out, "{}", whole("%a %b %e %H:%M:%S %Y")),
        'C' => write!(out, "{:02}", time.year / 100),
        'd' => write!(out, "{:02}", time.day),
        'D' | 'x' => write!(out, "{}", whole("%m/%d/%y")),
        'e' => write!(out, "{:2}", time.day),
        'F' => write!(out, "{}", whole("%Y-%m-%d")),
        'G' => write!(out, "{}", time.iso_week().0),
        'H' => write!(out, "{:02}", time.hour),
        'I' => write!(out, "{hour12:02}"),
        'k' => write!(out, "{:2}", time.hour),
        'l' => write!(out, "{hour12:2}"),
        'P' => write!(out, "{}", half.to_lowercase()),
        'r' => write!(out, "{}", whole("%I:%M:%S %p")),
        'j' => write!(out, "{:03}", time.day_of_year + 1),
        'm' => write!(out, "{:02}", time.month + 1),
        'M' => write!(out, "{:02}", time.minute),
        'n' => writeln!(out),
        'p' => write!(out, "{half}"),
        'R' => write!(out, "{}", whole("%H:%M")),
        's' => write!(out, "{}", time.seconds),
        'S' => write!(out, "{:02}", time.second),
        't' => write!(out, "\t"),
        'T' | 'X' => write!(out, "{}", whole("%H:%M:%S")),
        'u' => write!(out, "{}", (time.weekday + 6) % 7 + 1),
        'U' => write!(out, "{:02}", (time.day_of_year + 7 - time.weekday) / 7),
        'V' => write!(out, "{:02}", time.iso_week().1),
        'w' => write!(out, "{}", time.weekday),
        'W' => write!(
            out,
            "{:02}",
            (time.day_of_year + 7 - (time.weekday + 6) % 7) / 7
        ),
        'y' => write!(out, "{:02}", time.year.rem_euclid(100)),
        'Y' => write!(out, "{}", time.year),
        'z' => write!(out, "+0000"),
        'Z' => write!(out, "UTC"),
        '%' => write!(out, "%"),
        // What no format has stays as it is.
        other => write!(out, "%{other}"),
    };
    out
}
