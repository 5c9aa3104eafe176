//! Templates render as Ansible renders them: the same bytes from the same variables.
//!
//! A pinned ansible-core from PyPI renders through its own template engine (`render.py`); this
//! compiles a site with the same template and variables and compares. What is rendered: the corpus
//! of the catalog crate, whose expected outputs are thereby Ansible's, and the templates of public
//! roles: those in the `ansible` package of PyPI, and those in the folders that `HOLDFAST_ROLES`
//! names. Nothing of these is kept here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A test says on standard error how many templates it compared.
#![allow(clippy::print_stderr)]

mod corpus;
mod peer;
mod roles;
mod site;
