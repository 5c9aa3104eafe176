//! Circles in a graph: which places are in one, and the shortest through them.
//!
//! A graph is, by place, the places that it leads to.

use std::collections::VecDeque;

/// Most edges followed in search of the shortest circle of a component; after that the shortest
/// found so far is told. What people write stays a thousand times below.
const MAX_STEPS: usize = 4_000_000;

/// What is not visited yet.
const UNSEEN: usize = usize::MAX;

/// The strongly connected components (Tarjan, 1972), by place: two places have one number if each
/// leads to the other, and what a place leads to has no higher number than it.
pub(crate) fn components(graph: &[Vec<usize>]) -> Vec<usize> {
    let mut found = Components {
        number: vec![UNSEEN; graph.len()],
        low: vec![0; graph.len()],
        component: vec![UNSEEN; graph.len()],
        stack: Vec::new(),
        visited: 0,
        count: 0,
    };
    for start in 0..graph.len() {
        if found.number[start] == UNSEEN {
            found.walk(start, graph);
        }
    }
    found.component
}

struct Components {
    number: Vec<usize>,
    low: Vec<usize>,
    component: Vec<usize>,
    stack: Vec<usize>,
    visited: usize,
    count: usize,
}

impl Components {
    /// Without recursion: a chain may be as long as a catalog.
    fn walk(&mut self, start: usize, graph: &[Vec<usize>]) {
        let mut path = vec![(start, 0)];
        self.enter(start);
        while let Some(top) = path.last_mut() {
            let (place, next) = *top;
            if let Some(&to) = graph[place].get(next) {
                top.1 += 1;
                if self.number[to] == UNSEEN {
                    self.enter(to);
                    path.push((to, 0));
                } else if self.component[to] == UNSEEN {
                    self.low[place] = self.low[place].min(self.number[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                self.low[parent] = self.low[parent].min(self.low[place]);
            }
            if self.low[place] == self.number[place] {
                self.close(place);
            }
        }
    }

    fn enter(&mut self, place: usize) {
        self.number[place] = self.visited;
        self.low[place] = self.visited;
        self.visited += 1;
        self.stack.push(place);
    }

    fn close(&mut self, root: usize) {
        while let Some(place) = self.stack.pop() {
            self.component[place] = self.count;
            if place == root {
                break;
            }
        }
        self.count += 1;
    }
}

/// For every component that has circles its shortest one, from the least of its places.
pub(crate) fn shortest(graph: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let component = components(graph);
    let mut circles: Vec<Option<Vec<usize>>> = vec![None; graph.len()];
    let mut steps = vec![0_usize; graph.len()];
    for start in 0..graph.len() {
        let number = component[start];
        let best = circles[number].as_ref().map_or(UNSEEN, Vec::len);
        if steps[number] > MAX_STEPS || best == 1 {
            continue;
        }
        let back = back_to(start, graph, (&component, &mut steps[number]));
        if let Some(circle) = back.filter(|circle| circle.len() < best) {
            circles[number] = Some(circle);
        }
    }
    let mut circles: Vec<Vec<usize>> = circles.into_iter().flatten().collect();
    for circle in &mut circles {
        let least = (0..circle.len()).min_by_key(|&at| circle[at]).unwrap_or(0);
        circle.rotate_left(least);
    }
    circles.sort_unstable();
    circles
}

/// The shortest way from a place back to it, within its component.
fn back_to(
    start: usize,
    graph: &[Vec<usize>],
    (component, steps): (&[usize], &mut usize),
) -> Option<Vec<usize>> {
    let mut came_from = std::collections::HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(place) = open.pop_front() {
        for &to in &graph[place] {
            *steps += 1;
            if to == start {
                let back = std::iter::successors(Some(place), |at| came_from.get(at).copied());
                let mut circle: Vec<usize> = back.collect();
                circle.reverse();
                return Some(circle);
            }
            if component[to] == component[start] && !came_from.contains_key(&to) {
                came_from.insert(to, place);
                open.push_back(to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_without_circles_has_as_many_components_as_places() {
        let graph = [vec![1, 2], vec![2], vec![]];
        assert_eq!(components(&graph), [2, 1, 0]);
        assert!(shortest(&graph).is_empty());
    }

    #[test]
    fn of_every_component_the_shortest_circle_is_found() {
        // 0 → 1 → 2 → 3 → 0 with a shortcut 3 → 2, and 4 → 4 apart from it.
        let graph = [vec![1], vec![2], vec![3], vec![2, 0], vec![4, 0]];
        assert_eq!(shortest(&graph), [vec![2, 3], vec![4]]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let count = 200_000;
        let graph: Vec<Vec<usize>> = (0..count).map(|place| vec![(place + 1) % count]).collect();
        assert!(components(&graph).iter().all(|&number| number == 0));
    }
}
