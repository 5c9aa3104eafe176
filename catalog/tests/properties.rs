//! What holds for every site: the same input gives the same bytes, edges point only backwards, and
//! nothing that is written breaks the compiler.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fmt::Write as _;

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Site};
use proptest::prelude::*;

fn compile(files: &[(&str, &str)]) -> Result<Vec<u8>, Vec<Code>> {
    let codes = |wrong: holdfast_catalog::Diagnostics| -> Vec<Code> {
        wrong.iter().map(|one| one.code).collect()
    };
    let site = Site::parse(&support::site(files)).map_err(codes)?;
    let compiled = site.compile(&HostInput::new("h".parse().unwrap()));
    let compiled = compiled.map_err(codes)?;
    compiled.catalog.check().unwrap();
    Ok(compiled.catalog.to_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edges_point_backwards_or_the_circle_is_told(
        edges in proptest::collection::vec((0..12_usize, 0..12_usize), 0..14),
    ) {
        let mut role = "resources:\n".to_owned();
        for file in 0..12 {
            let needs = edges.iter().filter(|(from, _)| *from == file);
            let needs: Vec<String> = needs.map(|(_, to)| format!("\"file[/f{to}]\"")).collect();
            writeln!(role, "  - file: /f{file}\n    requires: [{}]", needs.join(", ")).unwrap();
        }
        let files = [("roles/r/role.yaml", role.as_str()), ("hosts/h.yaml", "roles: [r]\n")];
        match compile(&files) {
            Ok(bytes) => prop_assert_eq!(bytes, compile(&files).unwrap()),
            Err(codes) => {
                prop_assert!(!codes.is_empty());
                prop_assert!(codes.iter().all(|code| *code == Code::DependencyCycle));
            }
        }
    }

    #[test]
    fn the_order_of_groups_in_the_repo_decides_nothing(
        values in proptest::collection::vec((0..3_i64, 0..4_u8), 1..5),
        shift in 0..5_usize,
    ) {
        let role = "resources:\n  - file: /t\n    content: \"{{ v }}!\"\n";
        let run = |shift: usize| {
            let groups = values.iter().enumerate().map(|(place, (priority, value))| {
                let name = (place + shift) % values.len();
                let text = format!("hosts: [h]\npriority: {priority}\nvars: {{ v: {value} }}\n");
                (format!("groups/g{name}.yaml"), text)
            });
            let groups: Vec<(String, String)> = groups.collect();
            let mut files = vec![("roles/r/role.yaml", role), ("hosts/h.yaml", "roles: [r]\n")];
            files.extend(groups.iter().map(|(path, text)| (path.as_str(), text.as_str())));
            compile(&files).map_err(|codes| codes.contains(&Code::Tie))
        };
        prop_assert_eq!(run(0), run(shift));
    }

    #[test]
    fn no_text_breaks_the_compiler(text in "[ -~\\n]{0,60}", yaml in "[a-z:{}\\[\\]\"'|>&* \\n-]{0,60}") {
        let role = "resources:\n  - file: /t\n    template: t.j2\n";
        let _ = compile(&[
            ("roles/r/role.yaml", role),
            ("roles/r/templates/t.j2", &text),
            ("groups/g.yaml", &yaml),
            ("hosts/h.yaml", "roles: [r]\n"),
        ]);
    }
}
