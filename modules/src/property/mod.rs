//! Properties that files and folders have in common, one per file.

pub(crate) mod ensure;
pub(crate) mod missing;
pub(crate) mod mode;
pub(crate) mod owner;
