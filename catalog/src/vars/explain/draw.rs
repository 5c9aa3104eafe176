//! An explanation in text: the value, how its layers combine, and what each of them says.

use std::fmt;

use super::Explanation;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.error) {
            (Some(value), _) => writeln!(f, "{} = {value}", self.variable)?,
            (None, Some(error)) => writeln!(f, "{} has no value: {error}", self.variable)?,
            (None, None) => match &self.nearest {
                Some(near) => writeln!(f, "{} is not set; did you mean {near}?", self.variable)?,
                None => writeln!(f, "{} is not set", self.variable)?,
            },
        }
        write!(f, "  host {}, merge rule {}", self.host, self.rule)?;
        match &self.rule_place {
            Some(place) => writeln!(f, "  ({place})")?,
            None => writeln!(f)?,
        }
        if let Some(declared) = &self.declared {
            write!(f, "  declared {}", declared.types)?;
            if declared.sensitive {
                f.write_str(", sensitive")?;
            }
            if let Some(description) = &declared.description {
                write!(f, ", {description}")?;
            }
            writeln!(f, "  ({})", declared.place)?;
        }
        for misfit in &self.misfits {
            writeln!(f, "  ! {misfit}")?;
        }
        for held in &self.layers {
            let mark = match (held.used, held.unset, &held.value) {
                (true, ..) => "used      ",
                (_, true, _) => "unset     ",
                (_, _, Some(_)) => "overridden",
                _ => "-         ",
            };
            write!(f, "  {mark}  {}", held.source)?;
            if let Some(value) = &held.value {
                write!(f, ": {value}")?;
            }
            if let Some(place) = &held.place {
                write!(f, "  ({place})")?;
            }
            writeln!(f)?;
        }
        if !self.parts.is_empty() {
            writeln!(f, "  part by part:")?;
        }
        let width = self
            .parts
            .iter()
            .map(|part| part.path.chars().count())
            .max();
        for part in &self.parts {
            let width = width.unwrap_or_default();
            writeln!(
                f,
                "  {:<width$}  {}  ({})",
                part.path, part.source, part.place
            )?;
        }
        Ok(())
    }
}
