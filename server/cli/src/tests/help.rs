//! `help`, on verbs, on codes, on words that are both and on none.

use super::transcript;
use crate::exit::Exit;

#[test]
fn a_code_is_explained_with_an_example_and_its_mending() {
    insta::assert_snapshot!(transcript(&["help", "unquoted_expression"]));
}

#[test]
fn a_code_is_found_as_it_is_printed() {
    let told = transcript(&["help", "tie"]);
    for printed in ["error[tie]", "error[tie]:", "TIE"] {
        assert_eq!(transcript(&["help", printed]).answer, told.answer);
    }
    let dashed = transcript(&["help", "unknown-key"]);
    assert_eq!(dashed.answer, transcript(&["help", "unknown_key"]).answer);
}

#[test]
fn a_verb_is_told_as_its_own_help_tells_it() {
    let told = transcript(&["help", "check"]);
    assert!(told.answer.contains("Usage: holdfast check"), "{told}");
    let told = transcript(&["help", "secret", "encrypt"]);
    assert!(
        told.answer.contains("Usage: holdfast secret encrypt"),
        "{told}"
    );
}

#[test]
fn a_word_that_is_both_is_told_as_both() {
    let told = transcript(&["help", "secret"]);
    assert!(told.answer.contains("Usage: holdfast secret"), "{told}");
    assert!(told.answer.contains("error[secret]"), "{told}");
    let told = transcript(&["help", "secret", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(told["verb"]["name"], "secret");
    assert_eq!(told["lesson"]["code"], "secret");
}

#[test]
fn all_that_can_be_asked_about_is_listed() {
    let told = transcript(&["help"]);
    for word in ["check", "compile", "unknown_key", "dependency_cycle"] {
        assert!(told.answer.contains(&format!("\n  {word}")), "{told}");
    }
    let told = transcript(&["help", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(
        told["codes"].as_array().unwrap().len(),
        holdfast_catalog::diag::Code::ALL.len()
    );
    assert!(
        told["verbs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|verb| verb["name"] == "help")
    );
}

#[test]
fn a_word_that_is_nothing_gets_its_nearest() {
    let told = transcript(&["help", "dependancy_cycle"]);
    assert_eq!(told.exit, Exit::CouldNotRun);
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_wrong_says_where_it_is_explained() {
    let site = tempfile::TempDir::new().unwrap();
    std::fs::write(site.path().join("holdfast.yaml"), "tires: [a]\n").unwrap();
    let told = transcript(&["check", "--site", site.path().to_str().unwrap()]);
    assert!(
        told.asides.contains("`holdfast help unknown_key`"),
        "{told}"
    );
}
