//! What the compiler gives does not depend on what is encrypted.
//!
//! It has no key, so what can be said of a plaintext is what can be said of its ciphertext. Of two
//! sites that differ in nothing but what stands between BEGIN and END of their secrets, with as
//! many lines each:
//! - catalogs, blobs and remarks are equal but for the digests of drafts;
//! - diagnostics and explanations are equal, byte by byte;
//! - a difference to a third names the same contents, and shows nothing of them.
//!
//! With another number of lines, the lines that places below name are others, and nothing else.

use std::collections::BTreeMap;

use holdfast_catalog::diff::{FleetDiff, Outcome};
use holdfast_catalog::{Compiled, Diagnostics, HostInput, Paint, Piece, Site};
use holdfast_schemas::secret::Commitment;
use proptest::prelude::*;

use super::secrets::facts;
use super::support;

/// What a template may say; some of it is refused.
const LINES: [&str; 22] = [
    "plain\n",
    "{{ db.user }}:{{ db.password }}\n",
    "{{ url }}\n",
    "{{ keys.a }}{{ keys.b }}\n",
    "{% for k in keys.values() %}{{ k }},{% endfor %}\n",
    "{% set p %}<{{ db.password }}>{% endset %}{{ p }}{{ p }}\n",
    "{% if db.password is defined %}{{ db.password }}{% endif %}\n",
    "{{ keys|length }}\n",
    "{{ users|selectattr('live')|map(attribute='name')|list }}\n",
    "{% include 'inc.j2' %}",
    "{% from 'm.j2' import shown %}{{ shown(keys.b) }}\n",
    "{{ facts.memory }} {{ keys.a }}\n",
    "{{ (keys|combine({'c': 1})).b }}\n",
    "{{ db.password|length }}\n",
    "{{ db.password == 'hunter2' }}\n",
    "{{ db.password is string }}\n",
    "{{ keys }}\n",
    "{{ keys|to_json }}\n",
    "{{ keys[facts.env] }}\n",
    "{{ 'x' in db.password }}\n",
    "{{ db.nothing }}\n",
    "{% if db.password %}x{% endif %}\n",
];

/// Variables that are explained.
const VARIABLES: [&str; 6] = ["db.password", "db", "keys", "users", "url", "nothing"];

/// Text that looks like age's: as many lines as said, and a last one of any length.
fn armored(seed: u64, lines: usize) -> Vec<String> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut line = |length: usize| -> String {
        let letter = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(letters[(state >> 58) as usize])
        };
        (0..length).map(letter).collect()
    };
    let mut all = vec!["-----BEGIN AGE ENCRYPTED FILE-----".to_owned()];
    all.extend((1..lines).map(|_| line(64)));
    all.push(line(4 + 4 * (seed % 15) as usize));
    all.push("-----END AGE ENCRYPTED FILE-----".to_owned());
    all
}

fn block(seed: u64, lines: usize, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let armored = armored(seed, lines).into_iter();
    let lines = armored.map(|line| format!("{margin}{line}\n"));
    format!("|\n{}", lines.collect::<String>())
}

/// A site with five secrets as values and one as a file.
struct Written<'t> {
    template: &'t str,
    twice: bool,
}

impl Written<'_> {
    fn site(&self, seed: u64, lines: usize) -> Result<Site, Diagnostics> {
        let secret = |number: u64, indent: usize| block(seed ^ (number << 32), lines, indent);
        let globals = format!(
            "vars:\n  db:\n    user: app\n    password: {}  keys:\n    a: {}    b: {}  users:\n    \
             - name: x\n      live: true\n      password: {}  url: \"db://{{{{ db.user }}}}:{{{{ db.password }}}}@h\"\n",
            secret(1, 6),
            secret(2, 6),
            secret(3, 6),
            secret(4, 8),
        );
        let host = match self.twice {
            true => format!("roles: [r]\nvars:\n  keys:\n    b: {}", secret(5, 6)),
            false => "roles: [r]\n".to_owned(),
        };
        let file = armored(seed ^ 6 << 32, lines).join("\n") + "\n";
        let role = "resources:\n  - file: /t\n    template: t.j2\n  - file: /k\n    source: k.age\n  \
                    - file: /p\n    content: \"{{ db.user }}\"\n";
        Site::parse(&support::site(&[
            ("holdfast.yaml", "merge: { keys: deep }\n"),
            ("globals.yaml", &globals),
            ("hosts/h.yaml", &host),
            ("roles/r/role.yaml", role),
            ("roles/r/files/k.age", &file),
            ("roles/r/templates/t.j2", self.template),
            ("roles/r/templates/inc.j2", "{{ keys.a }}\n"),
            (
                "roles/r/templates/m.j2",
                "{% macro shown(x) %}<{{ x }}>{% endmacro %}",
            ),
        ]))
    }
}

fn host() -> HostInput {
    let serde_json::Value::Object(facts) = facts() else {
        panic!("facts are a mapping")
    };
    HostInput::new("h".parse().unwrap()).with_facts(facts)
}

/// Everything that is given for a host, drafts by the order of their resources.
fn given(compiled: &Compiled) -> String {
    let mut body = String::from_utf8(compiled.catalog.to_bytes()).unwrap();
    let mut names = BTreeMap::new();
    for (place, (draft, content)) in compiled.sealed.iter().enumerate() {
        assert_eq!(content.draft(), Commitment::Draft(*draft));
        assert!(body.contains(&draft.to_string()));
        let pieces = content.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => format!("{text:?}"),
            Piece::Secret { name, place, .. } => format!("{name} ({place})"),
            Piece::Sensitive { name, .. } => name.to_string(),
        });
        names.insert(pieces.collect::<Vec<String>>().join("+"), (place, *draft));
    }
    for (pieces, (_, draft)) in &names {
        body = body.replace(&draft.to_string(), &format!("[{pieces}]"));
    }
    format!("{body}\n{:?}\n{:?}", compiled.blobs, compiled.notes)
}

fn told(wrong: &Diagnostics) -> String {
    let json = serde_json::to_string(wrong).unwrap();
    format!(
        "{}\n{}\n{json}",
        wrong.render(Paint::Plain),
        wrong.render(Paint::Coloured)
    )
}

fn of(site: &Result<Site, Diagnostics>) -> Result<Compiled, Diagnostics> {
    match site {
        Ok(site) => site.compile(&host()),
        Err(wrong) => Err(wrong.clone()),
    }
}

fn explained(site: &Site) -> String {
    let all = VARIABLES
        .iter()
        .map(|name| match site.explain(&host(), name) {
            Ok(found) => format!("{found}\n{}", serde_json::to_string(&found).unwrap()),
            Err(wrong) => told(&wrong),
        });
    all.collect()
}

fn difference(
    before: &Result<Compiled, Diagnostics>,
    after: &Result<Compiled, Diagnostics>,
) -> String {
    fn outcome(of: &Result<Compiled, Diagnostics>) -> Outcome<'_> {
        match of {
            Ok(compiled) => Outcome::Compiled(compiled),
            Err(wrong) => Outcome::Failed(wrong),
        }
    }
    let mut fleet = FleetDiff::new();
    fleet.host(&"h".parse().unwrap(), outcome(before), outcome(after));
    fleet.finish().to_string()
}

/// Whether text holds a part of a ciphertext: a line of one, or most of it.
fn holds(text: &str, seed: u64, lines: usize) -> bool {
    (1..=6).any(|number: u64| {
        let armored = armored(seed ^ (number << 32), lines);
        let inner = &armored[1..armored.len() - 1];
        inner
            .iter()
            .any(|line| line.len() >= 16 && text.contains(&line[..16]))
    })
}

/// Places without their lines, and the excerpts' numbers, which say the same.
fn without_lines(text: &str) -> String {
    let mut out = String::new();
    let mut digits = false;
    for character in text.chars() {
        let digit = character.is_ascii_digit();
        if !digit {
            out.push(character);
        } else if !digits {
            out.push('#');
        }
        digits = digit;
    }
    out.split_whitespace().collect::<Vec<&str>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_given_does_not_depend_on_what_is_encrypted(
        chosen in proptest::collection::vec(0..LINES.len(), 1..5),
        twice in any::<bool>(),
        seeds in (any::<u32>(), any::<u32>(), any::<u32>()),
        lines in 1..6_usize,
        more in 0..4_usize,
    ) {
        let template: String = chosen.iter().map(|line| LINES[*line]).collect();
        let written = Written { template: &template, twice };
        let seeds = [seeds.0, seeds.1, seeds.2].map(u64::from);
        let sites = seeds.map(|seed| written.site(seed, lines));
        let [one, other, third] = [&sites[0], &sites[1], &sites[2]].map(of);
        match (&one, &other) {
            (Ok(one), Ok(other)) => prop_assert_eq!(given(one), given(other)),
            (Err(one), Err(other)) => prop_assert_eq!(told(one), told(other)),
            _ => prop_assert!(false, "one compiles and the other does not"),
        }
        let both = [&sites[0], &sites[1]].map(|site| site.as_ref().ok().map(explained));
        prop_assert_eq!(&both[0], &both[1]);
        let differences = (difference(&one, &third), difference(&other, &third));
        if seeds[0] != seeds[2] && seeds[1] != seeds[2] {
            prop_assert_eq!(&differences.0, &differences.1);
        }
        // None of it shows even the ciphertext.
        let shown = [
            one.as_ref().map_or_else(told, given),
            both[0].clone().unwrap_or_default(),
            differences.0.clone(),
        ];
        for text in &shown {
            prop_assert!(!holds(text, seeds[0], lines), "{}", text);
        }
        // A ciphertext of other length moves what stands below, and nothing else.
        let longer = of(&written.site(seeds[0], lines + more));
        match (&one, &longer) {
            (Ok(one), Ok(longer)) => {
                prop_assert_eq!(without_lines(&given(one)), without_lines(&given(longer)));
            }
            (Err(one), Err(longer)) => {
                prop_assert_eq!(without_lines(&told(one)), without_lines(&told(longer)));
            }
            _ => prop_assert!(false, "one compiles and the other does not"),
        }
    }
}

#[test]
fn encrypted_anew_is_a_change_of_its_contents_and_of_nothing_else() {
    let written = Written {
        template: "{{ db.password }}\n",
        twice: false,
    };
    let [one, other] = [1, 2].map(|seed| of(&written.site(seed, 3)));
    let told = difference(&one, &other);
    for part in ["file[/t]", "file[/k]", "secret:db.password"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("file[/p]"), "{told}");
    let same = difference(&one, &of(&written.site(1, 3)));
    assert!(!same.contains("file["), "{same}");
}
