//! The interpreter has what the contract has, and neither changes alone.

use std::fs;
use std::path::Path;

use crate::interfaces::INTERFACES;
use crate::kinds::KINDS;

/// The interfaces of a file of the contract, in order, with their functions as a script calls them and how many arguments those take.
fn written(file: &str) -> Vec<(String, Vec<(String, usize)>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(file);
    let mut interfaces: Vec<(String, Vec<(String, usize)>)> = Vec::new();
    for line in fs::read_to_string(path).unwrap().lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("interface ") {
            interfaces.push((name.trim_end_matches(" {").to_owned(), Vec::new()));
        } else if let Some((name, signature)) = line.split_once(": func(") {
            let arguments = signature.split_once(')').unwrap().0;
            let count = arguments.matches(": ").count();
            interfaces.last_mut().unwrap().1.push((camel_case(name), count));
        }
    }
    interfaces
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn a_script_imports_what_the_contract_offers() {
    let mut offered = [written("types.wit"), written("imports.wit")].concat();
    offered.sort();
    let functions = |functions: &[crate::interfaces::Function]| {
        functions.iter().map(|function| (function.name.to_owned(), function.arguments)).collect()
    };
    let had: Vec<_> = INTERFACES.iter().map(|(name, had)| ((*name).to_owned(), functions(had))).collect();
    assert_eq!(had, offered);
}

#[test]
fn a_script_exports_what_the_contract_asks() {
    let mut asked: Vec<(String, String, Vec<String>)> = written("kinds.wit")
        .into_iter()
        .map(|(kind, functions)| {
            let mut functions: Vec<String> = functions.into_iter().map(|(name, _)| name).collect();
            functions.sort();
            (kind.clone(), camel_case(&kind), functions)
        })
        .collect();
    asked.sort();
    let known = KINDS.map(|(kind, name, functions)| {
        let mut functions: Vec<String> = functions.iter().map(|&name| name.to_owned()).collect();
        functions.sort();
        (kind.to_owned(), name.to_owned(), functions)
    });
    assert_eq!(known.as_slice(), asked);
}
