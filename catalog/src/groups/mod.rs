//! Which groups a host is in, why, and who joins and leaves when the repo changes.
//!
//! A host is in a group that lists it, whose `match` holds for it, or that has the members of
//! another group it is in; unless the group excludes it. Groups may ask for other groups, so they
//! are decided in an order in which each comes after those it asks for; where there is none, the
//! circle is told when the site is parsed.

mod change;
mod members;
mod order;
mod table;
mod why;

pub use change::{GroupChange, Preview, preview};
use members::Decided;
pub(crate) use members::{by_name, facts, members, record, sought, standing};
pub(crate) use order::{Order, order};
pub use table::{GroupRow, Reach};
pub use why::{Condition, GroupStanding, Reason, Standing};
