//! How one value is laid out: sign, digits, width, and what fills it up.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::render::filters::refused;
use crate::render::python;

/// What a number is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Decimal,
    Hex,
    UpperHex,
    Octal,
    Binary,
    Fixed,
    Exponent,
    General,
    Percent,
}

/// Most digits behind the point.
const MAX_PRECISION: usize = 1000;

/// The layout of one value.
#[derive(Debug, Default, Clone)]
pub(super) struct Field {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    pub(super) sign: Option<char>,
    pub(super) alternate: bool,
    pub(super) zeros: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
}

impl Field {
    /// Lays text out; to the right in `%` marks.
    pub(super) fn text(&self, text: &str) -> String {
        let cut: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        };
        self.filled("", &cut, '>')
    }

    /// Lays text out, to the left unless it is said.
    pub(super) fn text_left(&self, text: &str) -> String {
        let mut field = self.clone();
        field.align = field.align.or(Some('<'));
        field.text(text)
    }

    /// Lays a number out.
    pub(super) fn number(&self, kind: Kind, value: &Value) -> Result<String, Error> {
        let (negative, digits) = match kind {
            Kind::Fixed | Kind::Exponent | Kind::General | Kind::Percent => {
                self.float(kind, value)?
            }
            _ => self.whole(kind, value)?,
        };
        let digits = match self.grouping {
            Some(mark) => grouped(&digits, mark),
            None => digits,
        };
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        };
        let prefix = match kind {
            Kind::Hex if self.alternate => "0x",
            Kind::UpperHex if self.alternate => "0X",
            Kind::Octal if self.alternate => "0o",
            Kind::Binary if self.alternate => "0b",
            _ => "",
        };
        Ok(self.filled(&format!("{sign}{prefix}"), &digits, '>'))
    }

    fn whole(&self, kind: Kind, value: &Value) -> Result<(bool, String), Error> {
        let number = match value.kind() {
            ValueKind::Bool => Some(i128::from(value.is_true())),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| {
            let kind = python::type_name(value);
            refused(format!("a whole number is put in here, not {kind}"))
        })?;
        let size = number.unsigned_abs();
        let digits = match kind {
            Kind::Hex => format!("{size:x}"),
            Kind::UpperHex => format!("{size:X}"),
            Kind::Octal => format!("{size:o}"),
            Kind::Binary => format!("{size:b}"),
            _ => format!("{size}"),
        };
        let least = self.precision.unwrap_or(0).min(MAX_PRECISION);
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        Ok((number < 0, format!("{zeros}{digits}")))
    }

    fn float(&self, kind: Kind, value: &Value) -> Result<(bool, String), Error> {
        let number = match value.kind() {
            ValueKind::Bool | ValueKind::Number => f64::try_from(value.clone()).ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| {
            let kind = python::type_name(value);
            refused(format!("a number is put in here, not {kind}"))
        })?;
        let size = number.abs();
        let precision = self.precision.unwrap_or(6).min(MAX_PRECISION);
        let digits = match kind {
            _ if !size.is_finite() => python::float_text(size),
            Kind::Exponent => exponent(&format!("{size:.precision$e}")),
            Kind::General => general(size, precision.max(1)),
            Kind::Percent => format!("{:.precision$}%", size * 100.0),
            _ => format!("{size:.precision$}"),
        };
        Ok((number.is_sign_negative() && !number.is_nan(), digits))
    }

    /// Fills a value up to its width.
    fn filled(&self, front: &str, text: &str, align: char) -> String {
        let length = front.chars().count() + text.chars().count();
        let missing = self.width.saturating_sub(length);
        let zeros = self.zeros && self.align.is_none() && self.fill.is_none();
        let fill = self.fill.unwrap_or(if zeros { '0' } else { ' ' });
        let fill = |count: usize| fill.to_string().repeat(count);
        match self.align.unwrap_or(if zeros { '=' } else { align }) {
            '<' => format!("{front}{text}{}", fill(missing)),
            '^' => {
                let left = missing / 2;
                format!("{}{front}{text}{}", fill(left), fill(missing - left))
            }
            '=' => format!("{front}{}{text}", fill(missing)),
            _ => format!("{}{front}{text}", fill(missing)),
        }
    }
}

/// `1.5e3` as `1.5e+03`.
fn exponent(text: &str) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// The shorter of both ways to write a number, without zeros at the end.
fn general(size: f64, precision: usize) -> String {
    let trimmed = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    let digits = precision - 1;
    let scientific = format!("{size:.digits$e}");
    let (front, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i64 = power.parse().unwrap_or(0);
    let limit = i64::try_from(precision).unwrap_or(i64::MAX);
    if size != 0.0 && (power < -4 || power >= limit) {
        return exponent(&format!("{}e{power}", trimmed(front.to_owned())));
    }
    let behind = usize::try_from(limit - 1 - power).unwrap_or(0);
    trimmed(format!("{size:.behind$}"))
}

/// Digits before the point in groups of three.
fn grouped(digits: &str, mark: char) -> String {
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out + rest
}

/// The default text of a number in braces.
pub(super) fn plain_number(field: &Field, value: &Value) -> Result<String, Error> {
    if value.is_integer() {
        return field.number(Kind::Decimal, value);
    }
    match field.precision {
        Some(_) => field.number(Kind::General, value),
        None => {
            let text = python::text(value)?;
            let (front, digits) = match text.strip_prefix('-') {
                Some(digits) => ("-", digits.to_owned()),
                None => ("", text),
            };
            Ok(field.filled(front, &digits, '>'))
        }
    }
}
