//! The server under agents that find nothing new: answers per second, start, memory.
#![allow(clippy::print_stdout)]

mod support;

fn main() {
    support::answer_measure();
}
