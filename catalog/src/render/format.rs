//! Text with values put in, as Python does it: `'%s' % x`, `'%s'|format(x)`, `'{}'.format(x)`.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::filters::{MAX_FILTERED, given, refused};
use super::python;

mod braces;
mod field;

pub(super) use braces::braces;
use field::{Field, Kind};

/// Widest that a value is put in, in columns.
const MAX_WIDTH: usize = 100_000;

/// `a % b`: text with values put in, or what is left of a division.
pub(super) fn remainder(state: &State, left: Value, right: Value) -> Result<Value, Error> {
    let (left, right) = (given(left, None)?, given(right, None)?);
    if let Some(text) = left.as_str() {
        let values = match right.is_tuple() {
            true => right.try_iter()?.collect(),
            false => vec![right],
        };
        let text = percent(text, &values)?;
        state.consume_fuel((text.len() >> 6) as u64)?;
        return Ok(Value::from(text));
    }
    let none = || refused("there is no remainder of a division by zero");
    let whole = |value: &Value| match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    };
    if let (Some(a), Some(b)) = (whole(&left), whole(&right)) {
        let rest = a.checked_rem(b).ok_or_else(none)?;
        let other_sign = rest != 0 && (rest < 0) != (b < 0);
        return Ok(Value::from(if other_sign { rest + b } else { rest }));
    }
    let number = |value: &Value| match value.kind() {
        ValueKind::Number | ValueKind::Bool => f64::try_from(value.clone()).ok(),
        _ => None,
    };
    match (number(&left), number(&right)) {
        (Some(_), Some(0.0)) => Err(none()),
        (Some(a), Some(b)) => {
            let rest = a % b;
            let other_sign = rest != 0.0 && (rest < 0.0) != (b < 0.0);
            Ok(Value::from(if other_sign { rest + b } else { rest }))
        }
        _ => Err(refused(format!(
            "`%` takes numbers, or text and what is put in, not {} and {}",
            python::type_name(&left),
            python::type_name(&right)
        ))),
    }
}

/// The values that stand for the marks of a text, in their order or by name.
struct Values<'v> {
    values: &'v [Value],
    next: usize,
    by_name: bool,
}

impl Values<'_> {
    fn next(&mut self) -> Result<Value, Error> {
        let value = self.values.get(self.next).cloned();
        self.next += 1;
        let value = value.ok_or_else(|| refused("there are more marks than values to put in"))?;
        given(value, None)
    }

    fn named(&mut self, name: &str) -> Result<Value, Error> {
        self.by_name = true;
        let mapping = self
            .values
            .first()
            .filter(|one| one.kind() == ValueKind::Map);
        let mapping = mapping.ok_or_else(|| refused("`%(name)s` takes values from a mapping"))?;
        let value = mapping.get_item(&Value::from(name))?;
        match value.is_undefined() {
            true => Err(refused(format!("there is no value `{name}` to put in"))),
            false => Ok(value),
        }
    }
}

/// Python's `%`.
pub(super) fn percent(text: &str, values: &[Value]) -> Result<String, Error> {
    let mut values = Values {
        values,
        next: 0,
        by_name: false,
    };
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        if letters.peek() == Some(&'%') {
            letters.next();
            out.push('%');
            continue;
        }
        put_in(&mut out, &mut letters, &mut values)?;
        if out.len() > MAX_FILTERED {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
    }
    let given = values.values.len();
    let one_mapping = given == 1 && values.values[0].kind() == ValueKind::Map;
    if !values.by_name && values.next < given && !one_mapping {
        return Err(refused(format!(
            "there are {given} values and {} marks to put them in",
            values.next
        )));
    }
    Ok(out)
}

type Letters<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// One mark: `%[(name)][flags][width][.precision]conversion`.
fn put_in(
    out: &mut String,
    letters: &mut Letters<'_>,
    values: &mut Values<'_>,
) -> Result<(), Error> {
    let mut field = Field::default();
    let mut value = None;
    if letters.next_if_eq(&'(').is_some() {
        let name: String = letters
            .by_ref()
            .take_while(|letter| *letter != ')')
            .collect();
        value = Some(values.named(&name)?);
    }
    while let Some(flag) = letters.next_if(|letter| "-+ #0".contains(*letter)) {
        match flag {
            '-' => field.align = Some('<'),
            '0' => field.zeros = true,
            '#' => field.alternate = true,
            sign if field.sign != Some('+') => field.sign = Some(sign),
            _ => {}
        }
    }
    field.width = size(letters, values)?.unwrap_or(0);
    if letters.next_if_eq(&'.').is_some() {
        field.precision = Some(size(letters, values)?.unwrap_or(0));
    }
    while letters.next_if(|letter| "hlL".contains(*letter)).is_some() {}
    let conversion = letters
        .next()
        .ok_or_else(|| refused("a text ends in half a `%` mark"))?;
    let value = match value {
        Some(value) => value,
        None => values.next()?,
    };
    let text = match conversion {
        's' => field.text(&python::text(&value)?),
        'r' | 'a' => field.text(&python::quoted_text(&value)?),
        'c' => field.text(&letter(&value)?),
        'd' | 'i' | 'u' => field.number(Kind::Decimal, &truncated(&value, conversion)?)?,
        'x' => field.number(Kind::Hex, &value)?,
        'X' => field.number(Kind::UpperHex, &value)?,
        'o' => field.number(Kind::Octal, &value)?,
        'f' | 'F' => field.number(Kind::Fixed, &value)?,
        'e' => field.number(Kind::Exponent, &value)?,
        'g' => field.number(Kind::General, &value)?,
        other => return Err(refused(format!("there is no `%{other}`"))),
    };
    out.push_str(&text);
    Ok(())
}

/// `%c` takes one letter, or its number.
fn letter(value: &Value) -> Result<String, Error> {
    let of_number = || char::from_u32(u32::try_from(value.as_i64()?).ok()?);
    match value.as_str() {
        Some(text) if text.chars().count() == 1 => Ok(text.to_owned()),
        None => of_number()
            .map(String::from)
            .ok_or_else(|| refused("`%c` takes one letter")),
        Some(_) => Err(refused("`%c` takes one letter")),
    }
}

/// A width or precision, in digits or as a value.
fn size(letters: &mut Letters<'_>, values: &mut Values<'_>) -> Result<Option<usize>, Error> {
    if letters.next_if_eq(&'*').is_some() {
        let value = values.next()?;
        let width = value.as_usize().filter(|width| *width <= MAX_WIDTH);
        return width.map(Some).ok_or_else(|| refused("`*` takes a width"));
    }
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() {
        return Ok(None);
    }
    let width = digits.parse().ok().filter(|width| *width <= MAX_WIDTH);
    width
        .map(Some)
        .ok_or_else(|| Error::from(ErrorKind::OutOfFuel))
}

/// `%d` cuts a number off at its point; text is none.
fn truncated(value: &Value, conversion: char) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(i64::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => Ok(value.clone()),
        #[allow(clippy::cast_possible_truncation)]
        ValueKind::Number => {
            let number = f64::try_from(value.clone())?;
            Ok(Value::from(number.trunc() as i128))
        }
        _ => Err(refused(format!(
            "`%{conversion}` takes a number, not {}; write `%s`, or `| int`",
            python::type_name(value)
        ))),
    }
}
