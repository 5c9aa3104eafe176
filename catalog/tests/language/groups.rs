//! Who is in a group: lists, ranges, addresses, nesting, exclusion, other groups; and why.

use std::collections::BTreeMap;

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Preview, Reach, Reason, Site, Standing, preview};
use proptest::prelude::*;
use serde_json::json;

use crate::{shown, support, text};

fn site(files: &[(&str, &str)]) -> Site {
    Site::parse(&support::site(files)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn host(name: &str) -> HostInput {
    HostInput::new(name.parse().unwrap())
}

/// Who is in which group, by the groups' names; `?` stands behind those of whom that is not known.
fn members(site: &Site) -> BTreeMap<String, Vec<String>> {
    let hosts: Vec<HostInput> = site.hosts().map(|name| host(name.as_str())).collect();
    let rows = site.groups(&hosts).into_iter().map(|row| {
        let members = row.members.iter().map(ToString::to_string);
        let unknown = row.unknown.iter().map(|name| format!("{name}?"));
        (row.group.to_string(), members.chain(unknown).collect())
    });
    rows.collect()
}

#[test]
fn lists_hold_names_ranges_and_addresses() {
    let site = site(&[
        ("groups/names.yaml", "hosts: [a-1, 10.1.0.9]\n"),
        ("groups/ranges.yaml", "hosts: ['a-[1:2]', 'b-*']\n"),
        ("groups/net.yaml", "hosts: [10.1.0.0/24]\n"),
        ("groups/span.yaml", "hosts: [10.1.0.2-10.1.0.9]\n"),
        ("groups/glob.yaml", "hosts: ['10.1.0.[1:2]']\n"),
        ("hosts/a-1.yaml", "address: 10.1.0.1\n"),
        ("hosts/a-2.yaml", "address: 10.1.0.2\n"),
        ("hosts/a-3.yaml", "address: 10.2.0.3\n"),
        ("hosts/b-1.yaml", "address: 10.1.0.9\n"),
        ("hosts/10.1.0.77.yaml", "{}\n"),
    ]);
    let found = members(&site);
    assert_eq!(found["names"], ["a-1", "b-1"]);
    assert_eq!(found["ranges"], ["a-1", "a-2", "b-1"]);
    assert_eq!(found["net"], ["10.1.0.77", "a-1", "a-2", "b-1"]);
    assert_eq!(found["span"], ["a-2", "b-1"]);
    assert_eq!(found["glob"], ["a-1", "a-2"]);
}

/// Groups of groups, in an order of names that is not the one in which they can be decided.
const NESTED: [(&str, &str); 8] = [
    (
        "groups/a-all.yaml",
        "groups: [b-web, c-db]\nexclude: [web-2]\n",
    ),
    ("groups/b-web.yaml", "match: '\"front\" in host.tags'\n"),
    (
        "groups/c-db.yaml",
        "match: '\"d-js\" in host.groups and \"b-web\" not in host.groups'\n",
    ),
    ("groups/d-js.yaml", "match: host.idc == 'js'\n"),
    ("groups/e-front.yaml", "hosts: ['web-*']\ntags: [front]\n"),
    ("hosts/web-1.yaml", "idc: js\n"),
    ("hosts/web-2.yaml", "idc: js\n"),
    ("hosts/db-1.yaml", "idc: js\n"),
];

#[test]
fn groups_ask_for_each_other_in_any_order_of_names() {
    let found = members(&site(&NESTED));
    assert_eq!(found["a-all"], ["db-1", "web-1"]);
    assert_eq!(found["b-web"], ["web-1", "web-2"]);
    assert_eq!(found["c-db"], ["db-1"]);
}

#[test]
fn a_group_of_groups_is_a_layer_like_any_other() {
    let found = text(&[
        (
            "groups/all.yaml",
            "groups: [one]\ntier: set\nvars: { v: all }\nroles: [r]\n",
        ),
        (
            "groups/one.yaml",
            "hosts: [h]\ntier: idc\ntags: [t]\nvars: { v: one }\n",
        ),
        ("hosts/h.yaml", "{}"),
        (
            "roles/r/role.yaml",
            &shown("{{ v }} {{ host.groups }} {{ host.tags }}"),
        ),
    ]);
    assert_eq!(found, "all ['one', 'all'] ['t']");
}

#[test]
fn why_a_host_is_in_names_the_entry_and_what_of_the_match_held() {
    let site = site(&NESTED);
    let standing = |name: &str, group: &str| {
        let all = site.standing(&host(name)).into_iter();
        all.into_iter().find(|one| &*one.group == group).unwrap()
    };
    let front = standing("web-1", "e-front");
    assert_eq!(
        front.because,
        [Reason::Listed {
            entry: "web-*".to_owned(),
            place: "groups/e-front.yaml:1:9".to_owned()
        }]
    );
    let excluded = standing("web-2", "a-all");
    assert_eq!(excluded.standing, Standing::Out);
    assert!(
        matches!(&excluded.because[0], Reason::Excluded { place, .. } if place == "groups/a-all.yaml:2:11")
    );
    assert!(matches!(&excluded.because[1], Reason::Nested { group, .. } if &**group == "b-web"));
    let db = standing("web-1", "c-db");
    let Reason::Match {
        holds, conditions, ..
    } = &db.because[0]
    else {
        panic!("{db:?}")
    };
    let held: Vec<(&str, Option<bool>)> = conditions
        .iter()
        .map(|one| (one.text.as_str(), one.holds))
        .collect();
    let expected = [
        ("\"d-js\" in host.groups", Some(true)),
        ("\"b-web\" not in host.groups", Some(false)),
    ];
    assert_eq!(
        (*holds, held.as_slice()),
        (Some(false), expected.as_slice())
    );
}

#[test]
fn what_depends_on_facts_is_unknown_without_them_and_only_that() {
    let site = site(&[
        ("groups/debian.yaml", "match: facts.os == 'debian'\n"),
        ("groups/behind.yaml", "match: '\"debian\" in host.groups'\n"),
        ("groups/within.yaml", "groups: [debian]\n"),
        ("groups/plain.yaml", "hosts: [h]\n"),
        ("hosts/h.yaml", "{}"),
    ]);
    let found = members(&site);
    for group in ["debian", "behind", "within"] {
        assert_eq!(found[group], ["h?"], "{group}");
    }
    assert_eq!(found["plain"], ["h"]);
    let mut facts = serde_json::Map::new();
    facts.insert("os".to_owned(), json!("debian"));
    let known = site.groups(&[host("h").with_facts(facts)]);
    assert!(
        known
            .iter()
            .all(|row| row.members.len() == 1 && row.unknown.is_empty())
    );
    let by_facts: Vec<&str> = known
        .iter()
        .filter(|row| row.by_facts)
        .map(|row| &*row.group)
        .collect();
    assert_eq!(by_facts, ["behind", "debian", "within"]);
}

#[test]
fn groups_that_nobody_can_be_in_are_known() {
    let site = site(&[
        ("groups/empty.yaml", "hosts: []\n"),
        ("groups/never.yaml", "match: false\n"),
        ("groups/outer.yaml", "groups: [empty, never]\n"),
        ("groups/later.yaml", "hosts: ['new-*']\n"),
        ("groups/here.yaml", "hosts: [h]\n"),
        ("hosts/h.yaml", "{}"),
    ]);
    let reach: Vec<(String, Reach)> = site
        .groups(&[host("h")])
        .into_iter()
        .map(|row| (row.group.to_string(), row.reach))
        .collect();
    let expected = [
        ("empty", Reach::Never),
        ("here", Reach::Reached),
        ("later", Reach::Nobody),
        ("never", Reach::Never),
        ("outer", Reach::Never),
    ];
    assert_eq!(
        reach,
        expected.map(|(name, reach)| (name.to_owned(), reach))
    );
}

#[test]
fn a_circle_is_told_by_its_shortest_way() {
    let wrong = Site::parse(&support::site(&[
        ("groups/a.yaml", "groups: [b]\n"),
        ("groups/b.yaml", "groups: [c]\n"),
        ("groups/c.yaml", "groups: [a, d]\n"),
        ("groups/d.yaml", "match: '\"c\" in host.groups'\n"),
    ]))
    .unwrap_err();
    let told = wrong.iter().next().unwrap();
    assert_eq!((wrong.len(), told.code), (1, Code::GroupCycle));
    assert_eq!(
        told.message,
        "the groups `c`, `d` are defined by each other"
    );
    assert_eq!(told.labels.len(), 2);
}

#[test]
fn a_preview_says_who_joins_and_who_leaves() {
    let before = site(&[
        ("groups/web.yaml", "hosts: [web-1, web-2]\n"),
        ("groups/old.yaml", "hosts: [web-1]\n"),
        ("groups/same.yaml", "hosts: ['*']\n"),
        ("hosts/web-1.yaml", "{}"),
        ("hosts/web-2.yaml", "{}"),
    ]);
    let after = site(&[
        ("groups/web.yaml", "match: host.idc == 'js'\npriority: 5\n"),
        ("groups/same.yaml", "hosts: ['*']\n"),
        ("hosts/web-1.yaml", "idc: js\n"),
        ("hosts/web-2.yaml", "{}"),
        ("hosts/web-3.yaml", "idc: js\n"),
    ]);
    let input = |name: &holdfast_schemas::HostName| HostInput::new(name.clone());
    let Preview { hosts, changes } = preview(&before, &after, input);
    let told: Vec<String> = changes
        .iter()
        .map(|one| {
            format!(
                "{} +{:?} -{:?} {}",
                one.group, one.joins, one.leaves, one.removed
            )
        })
        .collect();
    assert_eq!(hosts, 3);
    assert_eq!(
        told,
        [
            "old +[] -[\"web-1\"] true",
            "same +[\"web-3\"] -[] false",
            "web +[\"web-3\"] -[\"web-2\"] false",
        ]
    );
    assert_eq!(changes[2].moved_to, Some(("custom".into(), 5)));
    assert_eq!(preview(&after, &after, input).changes, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Held against a plain definition: the least sets that the lists and the nesting give.
    #[test]
    fn nesting_is_reachability_or_a_circle(
        edges in proptest::collection::vec((0..8_usize, 0..8_usize), 0..12),
        listed in 0..8_usize,
    ) {
        let mut reached = [false; 8];
        reached[listed] = true;
        for _ in 0..8 {
            for (outer, inner) in &edges {
                reached[*outer] |= reached[*inner];
            }
        }
        let mut below = [[false; 8]; 8];
        for (outer, inner) in &edges {
            below[*outer][*inner] = true;
        }
        for middle in 0..8 {
            for from in 0..8 {
                for to in 0..8 {
                    below[from][to] |= below[from][middle] && below[middle][to];
                }
            }
        }
        let circle = (0..8).any(|one| below[one][one]);
        let files: Vec<(String, String)> = (0..8)
            .map(|group| {
                let hosts = if group == listed { "hosts: [h]\n" } else { "hosts: []\n" };
                let inner = edges.iter().filter(|(outer, _)| *outer == group);
                let inner: Vec<String> = inner.map(|(_, inner)| format!("g{inner}")).collect();
                let text = format!("{hosts}groups: [{}]\n", inner.join(", "));
                (format!("groups/g{group}.yaml"), text)
            })
            .collect();
        let mut files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        files.push(("hosts/h.yaml", "{}"));
        match Site::parse(&support::site(&files)) {
            Ok(site) => {
                prop_assert!(!circle);
                let rows = site.groups(&[host("h")]);
                for (group, row) in rows.iter().enumerate() {
                    prop_assert_eq!(row.members.len() == 1, reached[group]);
                }
            }
            Err(wrong) => {
                prop_assert!(circle);
                let codes: Vec<Code> = wrong.iter().map(|one| one.code).collect();
                prop_assert_eq!(codes, [Code::GroupCycle]);
            }
        }
    }
}
