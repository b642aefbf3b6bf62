//! `leadferry list`, from the file to the export.

use std::fs;

use super::world::World;

const PROSPECTS: &str = "\
id,First Name,Last Name,Email,City,State,Lead Score
1,Dana,Whitfield,dana@example.test,Austin,TX,98
2,Ravi,Menon,ravi@example.test,Waco,TX,71
3,Mia,Okafor,DANA@example.test,Tulsa,OK,85
4,Lee,\"Sánchez, Jr.\",,Austin,TX,92
";

fn world() -> World {
    let world = World::new();
    world.file("prospects.csv", PROSPECTS);
    world
}

#[test]
fn a_list_is_saved_shown_and_exported() {
    let world = world();
    let saved = world.run(&["list", "save", "Top", "prospects.csv", "--where", "state = TX", "--json"]);
    assert_eq!((saved.code, saved.out.as_str()), (0, "{\"list\":\"Top\",\"version\":1,\"leads\":3}\n"), "{saved:?}");

    let lists = world.json(&["list", "ls"]);
    assert_eq!(lists[0]["list"], "Top");
    assert_eq!(lists[0]["source"], "lookalike");
    assert_eq!(lists[0]["file"], "prospects.csv");
    let shown = world.json(&["list", "show", "top"]);
    assert_eq!(shown["first"][0]["first_name"], "Dana");
    assert_eq!(shown["versions"].as_array().unwrap().len(), 1);

    let csv = world.run(&["list", "export", "Top"]).out;
    assert_eq!(csv.lines().next(), Some("id,first_name,last_name,email,city,state,score"));
    assert!(csv.contains("4,Lee,\"Sánchez, Jr.\",,Austin,TX,92"), "{csv}");
    let told = world.run(&["list", "export", "Top", "-o", "out.jsonl", "--format", "jsonl"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(fs::read_to_string(world.home().join("out.jsonl")).unwrap().lines().count(), 3);
}

#[test]
fn saving_again_makes_a_version_only_when_something_changed() {
    let world = world();
    assert_eq!(world.json(&["list", "save", "Top", "prospects.csv", "--top", "2"])["version"], 1);
    let same = world.run(&["list", "save", "Top", "prospects.csv", "--top", "2"]);
    assert!(same.out.contains("already") && same.out.contains("version 1"), "{same:?}");
    assert_eq!(world.json(&["list", "save", "top", "prospects.csv", "--top", "3"])["version"], 2);
    let difference = world.json(&["list", "diff", "Top"]);
    assert_eq!((&difference["from"], &difference["to"]), (&1.into(), &2.into()));
    assert_eq!(difference["added"].as_array().unwrap().len(), 1);
    assert_eq!(difference["added"][0]["first_name"], "Mia");
    assert!(difference["removed"].as_array().unwrap().is_empty());
}

#[test]
fn leads_can_be_chosen_by_score_id_and_address() {
    let world = world();
    world.file("ids.txt", "4\n1\n99\n");
    world.run(&["list", "save", "Best", "prospects.csv", "--top", "2"]);
    let names = |list: &str| {
        let shown = world.json(&["list", "show", list]);
        let first = shown["first"].as_array().unwrap().clone();
        first.iter().map(|lead| lead["first_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("Best"), ["Dana", "Lee"]);
    let told = world.run(&["list", "save", "Ids", "prospects.csv", "--ids", "ids.txt"]);
    assert!(told.err.contains("99"), "an id that is in no lead went unnoticed: {told:?}");
    assert_eq!(names("Ids"), ["Dana", "Lee"]);
    let told = world.run(&["list", "save", "All", "prospects.csv"]);
    assert!(told.err.contains("more than once") && told.err.contains("dana@example.test"), "{told:?}");
    let told = world.run(&["list", "save", "Once", "prospects.csv", "--dedupe", "email"]);
    assert_eq!(told.err, "");
    assert_eq!(names("Once"), ["Dana", "Ravi", "Lee"]);
    let told = world.run_with(&["list", "save", "Piped", "-", "--json"], PROSPECTS);
    assert_eq!(told.out, "{\"list\":\"Piped\",\"version\":1,\"leads\":4}\n", "{told:?}");
}

#[test]
fn nothing_is_saved_without_leads_a_name_or_a_readable_file() {
    let world = world();
    world.file("binary.csv", "\u{0}\u{1}\u{2}");
    let cases: &[(&[&str], &str)] = &[
        (&["list", "save", "", "prospects.csv"], "Please enter a list name"),
        (&["list", "save", "Top", "prospects.csv", "--where", "state = ZZ"], "Please select at least one lead"),
        (&["list", "save", "Top", "prospects.csv", "--where", "state ="], "^"),
        (&["list", "save", "Top", "prospects.csv", "--where", "stat = TX"], "state"),
        (&["list", "save", "Top", "gone.csv"], "gone.csv"),
        (&["list", "save", "Top", "binary.csv"], "binary.csv"),
    ];
    for (arguments, words) in cases {
        let told = world.run(arguments);
        assert_eq!(told.code, 2, "{arguments:?}: {told:?}");
        assert!(told.err.contains(words), "{arguments:?}: {}", told.err);
    }
    assert_eq!(world.json(&["list", "ls"]), serde_json::json!([]));
}

#[test]
fn bad_rows_are_counted_named_and_written_out() {
    let world = World::new();
    world.file("bad.csv", "id,email\n1,a@example.test\n2,b@example.test,too,many\n3,c@example.test\n");
    let told = world.run(&["list", "save", "Good", "bad.csv", "--bad-rows", "rows.csv"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("Saved 2 leads to Good"), "{told:?}");
    assert!(told.err.contains("1 row") && told.err.contains("line 3"), "{told:?}");
    let rows = fs::read_to_string(world.home().join("rows.csv")).unwrap();
    assert!(rows.contains("2,b@example.test,too,many"), "{rows}");
    let json = world.run(&["list", "save", "Good", "bad.csv", "--json"]);
    assert!(json.err.starts_with("{\"warning\":"), "{json:?}");
}

#[test]
fn a_list_is_renamed_and_deleted_only_when_somebody_said_yes() {
    let world = world();
    world.run(&["list", "save", "Top", "prospects.csv"]);
    assert_eq!(world.json(&["list", "rename", "Top", "Best"])["list"], "Best");
    let asked = world.run(&["list", "delete", "Best"]);
    assert_eq!(asked.code, 2);
    assert!(asked.err.contains("--yes"), "{asked:?}");
    assert_eq!(world.json(&["list", "delete", "Best", "--yes"])["deleted"], true);
    let gone = world.run(&["list", "show", "Best", "--json"]);
    assert_eq!((gone.code, gone.error()["code"].as_str()), (2, Some("not_found")), "{gone:?}");
}

#[test]
fn a_spreadsheet_cannot_be_made_to_run_a_lead() {
    let world = World::new();
    world.file("live.csv", "id,company\n1,=cmd|' /C calc'!A0\n");
    world.run(&["list", "save", "Live", "live.csv"]);
    assert!(world.run(&["list", "export", "Live"]).out.contains("'=cmd"));
    assert!(world.run(&["list", "export", "Live", "--raw"]).out.contains(",=cmd"));
}

#[test]
fn names_in_a_file_cannot_steer_the_terminal() {
    let world = World::new();
    world.file("hostile.csv", "id,Full Name\n1,\"a\u{1b}]0;owned\u{7}\u{202e}b\"\n");
    world.run(&["list", "save", "Hostile", "hostile.csv"]);
    let told = world.run(&["list", "show", "Hostile"]);
    assert!(!told.out.is_empty() && !told.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{told:?}");
}
