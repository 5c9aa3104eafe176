//! Work on many hosts, on every processor.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Works on every item, each thread into an answer of its own, and puts the answers together.
pub(crate) fn gather<T: Sync, A: Default + Send>(
    items: &[T],
    work: impl Fn(&T, &mut A) + Sync,
    together: impl Fn(&mut A, A) + Sync,
) -> A {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(A::default());
    let run = || {
        let mut own = A::default();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item, &mut own);
        }
        if let Ok(mut all) = all.lock() {
            together(&mut all, own);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(run);
        }
        run();
    });
    // A thread that panicked is told by the scope.
    all.into_inner()
        .unwrap_or_else(|broken| broken.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let items: Vec<usize> = (0..1000).collect();
        let work = |item: &usize, own: &mut Vec<usize>| own.push(*item);
        let mut all = gather(&items, work, |all, own| all.extend(own));
        all.sort_unstable();
        assert_eq!(all, items);
    }

    #[test]
    fn nothing_to_do_is_done() {
        let none: [usize; 0] = [];
        let all = gather(
            &none,
            |_, own: &mut usize| *own += 1,
            |all, own| *all += own,
        );
        assert_eq!(all, 0);
    }
}
