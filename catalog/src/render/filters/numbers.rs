//! Filters over numbers and sizes.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter, integer};
use crate::render::python;

pub(super) const FILTERS: &[Filter] = &[
    filter("abs", &[], absolute),
    filter("filesizeformat", &["binary"], file_size),
    filter("float", &["default"], float),
    filter("human_readable", &["isbits", "unit"], human_readable),
    filter(
        "human_to_bytes",
        &["default_unit", "isbits"],
        human_to_bytes,
    ),
    filter("int", &["default", "base"], int),
    filter("log", &["base"], log),
    filter("pow", &["y"], pow),
    filter("root", &["base"], root),
    filter("round", &["precision", "method"], round),
];

/// The letters of sizes, from the largest.
const SIZES: &str = "YZEPTGMKB";

/// A number as a floating point one.
fn as_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(if value.is_true() { 1.0 } else { 0.0 }),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

fn number(call: &Call<'_, '_, '_>) -> Result<f64, Error> {
    as_float(&call.value).ok_or_else(|| {
        let kind = python::type_name(&call.value);
        call.fails(format!("takes a number, not {kind}"))
    })
}

fn number_or(call: &Call<'_, '_, '_>, name: &str, or: f64) -> Result<f64, Error> {
    match call.some(name) {
        None => Ok(or),
        Some(value) => as_float(value).ok_or_else(|| call.wrong(name, "a number", value)),
    }
}

/// A result as Python has it, which knows no number for it where it is none.
fn defined(call: &Call<'_, '_, '_>, result: f64) -> Result<Value, Error> {
    match result.is_finite() {
        true => Ok(Value::from(result)),
        false => Err(call.fails("there is no such number")),
    }
}

fn absolute(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    match integer(&call.value).and_then(i64::checked_abs) {
        Some(number) => Ok(Value::from(number)),
        None => number(call).map(|number| Value::from(number.abs())),
    }
}

/// A text as Python's `float` reads it.
fn parsed(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.starts_with(|c: char| c.is_ascii_digit() || "+-.iInN".contains(c));
    plain.then(|| text.replace('_', "").parse().ok()).flatten()
}

fn float(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let read = call
        .value
        .as_str()
        .map_or_else(|| as_float(&call.value), parsed);
    Ok(match (read, call.argument("default")) {
        (Some(number), _) => Value::from(number),
        (None, Some(default)) => default.clone(),
        (None, None) => Value::from(0.0),
    })
}

fn int(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let base = u32::try_from(call.integer_or("base", 10)?).unwrap_or(0);
    if !(2..=36).contains(&base) {
        return Err(call.fails("`base` is between 2 and 36"));
    }
    if call.value.is_integer() && call.value.kind() == ValueKind::Number {
        return Ok(call.value.clone());
    }
    let whole = call.value.as_str().and_then(|text| whole(text, base));
    if let Some(whole) = whole {
        return Ok(Value::from(whole));
    }
    let float = call
        .value
        .as_str()
        .map_or_else(|| as_float(&call.value), parsed);
    match float.filter(|float| float.is_finite() && float.abs() < 1e38) {
        #[allow(clippy::cast_possible_truncation)]
        Some(float) => Ok(Value::from(float.trunc() as i128)),
        None => Ok(call
            .argument("default")
            .cloned()
            .unwrap_or_else(|| Value::from(0))),
    }
}

/// A text as Python's `int` reads it.
fn whole(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "",
    };
    let digits = lower.strip_prefix(prefix).unwrap_or(&lower);
    let misplaced = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if misplaced || digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(sign * number)
}

fn round(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let number = number(call)?;
    let precision = i32::try_from(call.integer_or("precision", 0)?).unwrap_or(i32::MAX);
    let precision = precision.clamp(-300, 300);
    let power = 10_f64.powi(precision);
    match call.text_or("method", "common")? {
        "common" if call.value.is_integer() => Ok(rounded_whole(&call.value, precision)),
        "common" if precision >= 0 => {
            // Written out to that many digits, the number is rounded as Python rounds it.
            let digits = usize::try_from(precision).unwrap_or(0);
            let text = format!("{number:.digits$}");
            defined(call, text.parse().unwrap_or(number))
        }
        "common" => defined(call, (number * power).round_ties_even() / power),
        "ceil" => defined(call, (number * power).ceil() / power),
        "floor" => defined(call, (number * power).floor() / power),
        other => Err(call.fails(format!("there is no method `{other}`: common, ceil, floor"))),
    }
}

/// A whole number to tens or hundreds, half to even.
fn rounded_whole(value: &Value, precision: i32) -> Value {
    let zeros = u32::try_from(-precision).unwrap_or(0);
    let (Some(number), Some(step)) = (integer(value), 10_i64.checked_pow(zeros)) else {
        return value.clone();
    };
    let below = number.div_euclid(step);
    let rest = number.rem_euclid(step) * 2;
    let up = rest > step || (rest == step && below % 2 != 0);
    Value::from((below + i64::from(up)) * step)
}

fn log(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let number = number(call)?;
    let base = number_or(call, "base", std::f64::consts::E)?;
    let result = match base {
        10.0 => number.log10(),
        _ if call.some("base").is_none() => number.ln(),
        _ => number.ln() / base.ln(),
    };
    defined(call, result)
}

fn pow(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.needed("y")?;
    defined(call, number(call)?.powf(number_or(call, "y", 1.0)?))
}

fn root(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let base = number_or(call, "base", 2.0)?;
    let number = number(call)?;
    defined(
        call,
        if base == 2.0 {
            number.sqrt()
        } else {
            number.powf(1.0 / base)
        },
    )
}

/// What a letter of a size stands for.
fn size(letter: char) -> Option<f64> {
    let place = SIZES.chars().rev().position(|known| known == letter)?;
    Some(1024_f64.powi(i32::try_from(place).ok()?))
}

fn human_readable(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let number = number(call)?;
    let base = if call.flag("isbits") { "bits" } else { "Bytes" };
    let unit = call.text_or("unit", "")?.to_uppercase();
    let fits = |letter: &char| match unit.is_empty() {
        true => size(*letter).is_some_and(|limit| number >= limit),
        false => unit.starts_with(*letter) && unit.len() == 1,
    };
    let letter = SIZES.chars().find(fits).unwrap_or('B');
    let limit = size(letter).unwrap_or(1.0);
    let suffix = match letter {
        'B' => base.to_owned(),
        _ => format!("{letter}{}", &base[..1]),
    };
    call.gives(format!("{:.2} {suffix}", number / limit))
}

fn human_to_bytes(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let written = call.value_as_text()?;
    let text = written.trim_end();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unclear = || call.fails(format!("`{written}` is no size"));
    let whole = !number.ends_with('.') && !number.is_empty();
    let number: f64 = number.parse().ok().filter(|_| whole).ok_or_else(unclear)?;
    let unit = match unit.trim_start() {
        "" => call.text_or("default_unit", "")?,
        unit => unit,
    };
    let Some(first) = unit.chars().next() else {
        return Ok(rounded(number));
    };
    let limit = size(first.to_ascii_uppercase()).ok_or_else(unclear)?;
    let (long, short) = match call.flag("isbits") {
        true => ("bit", 'b'),
        false => ("byte", 'B'),
    };
    let names = [
        "", "kilo", "mega", "giga", "tera", "peta", "exa", "zeta", "yotta",
    ];
    let place = SIZES
        .chars()
        .rev()
        .position(|known| known == first.to_ascii_uppercase());
    let name = place
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or_default();
    let letter = first.to_ascii_uppercase();
    let short = if name.is_empty() {
        short.to_string()
    } else {
        format!("{letter}{short}")
    };
    if unit.len() > 1 && unit.to_lowercase() != format!("{name}{long}") && unit != short {
        return Err(call.fails(format!(
            "`{unit}` is no unit; write `{short}` or `{letter}`"
        )));
    }
    Ok(rounded(number * limit))
}

#[allow(clippy::cast_possible_truncation)]
fn rounded(number: f64) -> Value {
    Value::from(number.round_ties_even() as i128)
}

fn file_size(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let read = call
        .value
        .as_str()
        .map_or_else(|| as_float(&call.value), parsed);
    let bytes = read.ok_or_else(|| call.fails("takes a number"))?;
    let (base, units) = match call.flag("binary") {
        true => (
            1024.0,
            ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"],
        ),
        false => (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]),
    };
    if bytes == 1.0 {
        return call.gives("1 Byte".to_owned());
    }
    if bytes < base {
        return call.gives(format!("{} Bytes", bytes.trunc()));
    }
    let mut limit: f64 = base * base;
    let mut unit = units[0];
    for next in &units[1..] {
        if bytes < limit {
            break;
        }
        limit *= base;
        unit = next;
    }
    call.gives(format!("{:.1} {unit}", base * bytes / limit))
}
