//! Whether a revision may be served, given what became of every host that was compiled from it.
//!
//! What is wrong with the commit refuses the commit. What is wrong with a host's own facts holds
//! that host at its last good catalog and vetoes nothing, within a budget: a commit that breaks a
//! good part of the fleet is the one to blame, whatever the facts say.

use holdfast_schemas::HostName;

/// Hosts out of a hundred that a commit may newly hold; one host may always be held alone.
const BUDGET_PERCENT: usize = 5;

/// What became of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It compiles.
    Compiles,
    /// Its catalog depends on facts, and it has not reported any yet.
    WaitsForFacts,
    /// It does not compile, and without its facts nothing would be wrong.
    FailsByFacts,
    /// It does not compile whatever its facts are.
    Fails,
    /// It enrolled, and the repo does not declare it: whatever is wrong concerns it alone.
    Undeclared,
}

/// One host, as the judgement sees it.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The host.
    pub name: HostName,
    /// What became of it.
    pub fate: Fate,
    /// Whether its facts already kept it from compiling before this revision.
    pub held_before: HeldBefore,
}

/// Whether a host was held already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBefore {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// Whether a revision may be served.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It may.
    Serve,
    /// It may not, because of these hosts.
    Refuse(Vec<HostName>),
}

/// Judges a revision.
pub fn judge(tried: &[Tried]) -> Judgement {
    let names = |wrong: &dyn Fn(&&Tried) -> bool| -> Vec<HostName> {
        tried
            .iter()
            .filter(wrong)
            .map(|host| host.name.clone())
            .collect()
    };
    let failing = names(&|host| host.fate == Fate::Fails);
    if !failing.is_empty() {
        return Judgement::Refuse(failing);
    }
    let newly_held =
        names(&|host| host.fate == Fate::FailsByFacts && host.held_before == HeldBefore::No);
    let compiling = tried
        .iter()
        .filter(|host| host.fate == Fate::Compiles)
        .count();
    let budget = (tried.len() * BUDGET_PERCENT / 100).max(1);
    // Where nothing compiles, there is no host that shows the commit to be good.
    match newly_held.len() {
        0 => Judgement::Serve,
        held if held <= budget && compiling > 0 => Judgement::Serve,
        _ => Judgement::Refuse(newly_held),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn hosts(fates: &[(Fate, HeldBefore, usize)]) -> Vec<Tried> {
        let each = fates.iter().flat_map(|(fate, held_before, count)| {
            (0..*count).map(move |_| (fate.clone(), *held_before))
        });
        each.enumerate()
            .map(|(n, (fate, held_before))| Tried {
                name: format!("h{n}").parse().unwrap(),
                fate,
                held_before,
            })
            .collect()
    }

    fn judged(fates: &[(Fate, HeldBefore, usize)]) -> Judgement {
        judge(&hosts(fates))
    }

    const NO: HeldBefore = HeldBefore::No;
    const YES: HeldBefore = HeldBefore::Yes;

    #[test]
    fn a_host_without_facts_or_outside_the_repo_vetoes_nothing() {
        assert_eq!(judged(&[]), Judgement::Serve);
        let fates = [(Fate::WaitsForFacts, NO, 3), (Fate::Undeclared, NO, 3)];
        assert_eq!(judged(&fates), Judgement::Serve);
    }

    #[test]
    fn a_host_that_fails_whatever_its_facts_refuses_the_commit() {
        let refused = judged(&[(Fate::Compiles, NO, 999), (Fate::Fails, NO, 1)]);
        assert_eq!(refused, Judgement::Refuse(vec!["h999".parse().unwrap()]));
    }

    #[test]
    fn facts_hold_their_own_host_within_the_budget() {
        let few = [(Fate::Compiles, NO, 2), (Fate::FailsByFacts, NO, 1)];
        assert_eq!(judged(&few), Judgement::Serve);
        let many = [(Fate::Compiles, NO, 2), (Fate::FailsByFacts, NO, 2)];
        assert!(matches!(judged(&many), Judgement::Refuse(held) if held.len() == 2));
        let fleet = [(Fate::Compiles, NO, 95), (Fate::FailsByFacts, NO, 5)];
        assert_eq!(judged(&fleet), Judgement::Serve);
        let fleet = [(Fate::Compiles, NO, 94), (Fate::FailsByFacts, NO, 6)];
        assert!(matches!(judged(&fleet), Judgement::Refuse(_)));
    }

    #[test]
    fn where_nothing_compiles_the_commit_is_to_blame_unless_it_was_so_before() {
        assert!(matches!(
            judged(&[(Fate::FailsByFacts, NO, 1)]),
            Judgement::Refuse(_)
        ));
        assert_eq!(judged(&[(Fate::FailsByFacts, YES, 1)]), Judgement::Serve);
    }
}
